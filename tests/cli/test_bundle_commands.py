"""``mpa diagnose`` and ``mpa bundle``, with no service and no settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.evidence.bundle.writer import write
from diagnosis.stories import Story

SOURCES = Path(__file__).parents[2] / "src"
KEYS = {"rank", "cause", "component", "change", "confidence", "remediation", "evidence", "against"}


@pytest.fixture
def bundle(place):
    """Errors after a deploy."""
    story = Story().well()
    story.hurt("orders", "web")
    story.fail("orders", "basket is empty")
    diff = "+ if not basket: raise Empty\n"
    story.changed("d1", "orders", 60.0, "refuse an empty basket", files=("orders/basket.py",), diff=diff)
    write(story.bundle(), place / "inc.zip")
    return "inc.zip"


def test_a_bundle_is_diagnosed_as_json(mpa, bundle):
    """The document that programs read."""
    said = mpa("diagnose", bundle, "--json", "--no-llm")
    assert said.code == 0
    document = json.loads(said.out)
    assert set(document) == {"onset", "blast_radius", "hypotheses", "gaps", "seconds"}
    assert all(set(one) == KEYS for one in document["hypotheses"])
    first = document["hypotheses"][0]
    assert (first["rank"], first["change"], first["component"]) == (1, "d1", "orders")
    assert document["seconds"] >= 0


def test_a_bundle_is_diagnosed_in_words(mpa, bundle):
    """What a person reads, and how the number came about."""
    said = mpa("diagnose", bundle, "--explain")
    assert said.code == 0
    assert "code in orders, change d1: roll back" in said.out
    assert "speaks of what moved: basket" in said.out
    assert "prompt" in said.out
    assert "adds" in said.out


def test_a_healthy_bundle_has_nothing_wrong(mpa, place):
    """Said in one line."""
    write(Story().well().bundle(), place / "calm")
    said = mpa("diagnose", "calm")
    assert (said.code, said.out.strip()) == (0, "nothing wrong")
    assert json.loads(mpa("diagnose", "calm", "--json").out)["hypotheses"] == []


@pytest.mark.parametrize("words", [("diagnose",), ("bundle", "show"), ("bundle", "copy")])
def test_what_is_no_bundle_is_an_error(mpa, place, words):
    """Exit code 2 and a sentence."""
    more = ("there.zip",) if words == ("bundle", "copy") else ()
    said = mpa(*words, "nowhere.zip", *more)
    assert said.code == 2
    assert "nowhere.zip: there is no such folder or file" in said.err


def test_a_bundle_is_shown_and_copied(mpa, place, bundle):
    """A damaged one becomes a sound one, and what was lost is named."""
    assert json.loads(mpa("bundle", "show", bundle, "--json").out)["changes"] == 1
    assert mpa("bundle", "copy", bundle, "folder").code == 0
    with (place / "folder" / "logs.ndjson").open("a") as file:
        file.write("{broken\n")
    said = mpa("bundle", "copy", "folder", "sound.zip")
    assert said.code == 0
    assert "left out: logs.ndjson: 1 lines that are no JSON" in said.out
    assert "missing" not in mpa("bundle", "show", "sound.zip").out
    again = mpa("bundle", "copy", bundle, "folder")
    assert again.code == 2
    assert "folder cannot be written" in again.err


def test_the_same_bundle_gets_the_same_answer(place, bundle):
    """However a process happens to order its sets."""
    answers = set()
    for seed in ("1", "2"):
        env = {"PYTHONPATH": str(SOURCES), "PYTHONHASHSEED": seed, "PATH": os.environ["PATH"]}
        words = [sys.executable, "-m", "agent.cli", "diagnose", bundle, "--json", "--explain"]
        done = subprocess.run(words, env=env, capture_output=True, check=True, timeout=60)
        document = json.loads(done.stdout)
        del document["seconds"]
        answers.add(json.dumps(document))
    assert len(answers) == 1
