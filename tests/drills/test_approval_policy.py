"""What the examiner says yes to."""

from __future__ import annotations

import pytest

from agent.model.policy import ASKED
from drills.approval_policy import ACTIONS, ApprovalPolicy, read
from drills.drill import Unusable


def test_without_a_file_everything_is_allowed():
    """And the name under which results are kept says so."""
    assert read(None).allows("rollback")
    assert read(None).name == "yes"


def test_every_kind_of_action_that_the_agent_asks_for_can_be_named():
    """The examiner has a list of its own, for it never imports the agent."""
    assert set(ACTIONS) == set(ASKED)


def test_a_file_says_yes_or_no_by_kind_of_action(tmp_path):
    """What is not named gets the default; two different policies have different names."""
    path = tmp_path / "policy.toml"
    path.write_text("default = false\n[approve]\nrestart = true\n")
    policy = read(path)
    assert (policy.allows("restart"), policy.allows("rollback")) == (True, False)
    assert policy.name not in {"yes", ApprovalPolicy(default=True, approve={"restart": False}).name}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("defualt = true", "defualt"),
        ("[approve]\nrestart = 1", "true or false"),
        ("[", "policy.toml"),
        ("approve = 1", "approve"),
        ("[approve]\nrepiar = false", "knows no repiar; the kinds of action are repair"),
    ],
)
def test_a_wrong_file_is_told(tmp_path, text, said):
    """With its name."""
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with pytest.raises(Unusable, match=said):
        read(path)
