"""The demo follows an incident through the public door alone, and answers its question."""

import io
import time

import pytest

from drills.door import Door, Feed, Refused
from drills.follow import Follower, TooLate
from drills.meter import Meter
from drills.screen import Screen
from drills.story import Story
from fakes.agent_server import SUBJECT, AgentServer


@pytest.fixture
def agent():
    with AgentServer() as server:
        yield server


@pytest.fixture
def followed(agent, tmp_path):
    """A follower without a terminal, whose target is away."""
    (tmp_path / "token").write_text("secret\n")
    out = io.StringIO()
    door, meter = Door(agent.url, tmp_path / "token"), Meter("http://127.0.0.1:1", tmp_path / "traffic")
    story = Story(fault_at=time.time())
    yield Follower(door, meter, Screen(out), story), story, out
    door.close()
    meter.close()


def test_an_incident_is_followed_to_its_end(agent, followed):
    """Without a terminal the named demo user says yes, and the story ends as fixed with every part told."""
    follower, story, out = followed
    agent.open_incident()
    follower.until_closed(follower.await_incident(5), 20)
    text = out.getvalue()
    assert story.outcome == "fixed"
    assert [decision["answer"] for decision in agent.decisions] == ["approve"]
    assert agent.decisions[0]["by"] == "demo"
    assert agent.decisions[0]["subject"] == SUBJECT
    for told in ("HighErrorRatio", "93%", "guard removed", "✗ red", "✓ green", "untestable", "red before", "+bad = 2"):
        assert told in text
    assert "also ships 1 commit of other people" in text
    assert "dddddddddd  Faster [31m answers" in text
    assert "\x1b" not in text


def test_what_was_shown_while_it_ran_is_not_shown_again(agent, followed):
    """An agent that tells every run as it happens is not repeated from its documents."""
    follower, _, out = followed
    agent.tells_runs = True
    agent.open_incident()
    follower.until_closed(follower.await_incident(5), 20)
    assert "✗ red" in out.getvalue()
    assert "tried" in out.getvalue()
    assert "KeyError again" not in out.getvalue()


def test_interruptions_of_the_feed_lose_and_repeat_nothing(agent, followed):
    """The fake cuts the connection after every second entry; the story has each exactly once."""
    follower, story, out = followed
    agent.open_incident()
    follower.until_closed(follower.await_incident(5), 20)
    assert agent.connections_cut > 1
    assert [event.seq for event in story.events] == list(range(2, len(agent._entries) + 1))
    assert out.getvalue().count("HighErrorRatio") == 1


class Slow(Screen):
    """A terminal with a person who says yes after a while; meanwhile the agent asks about another patch."""

    def __init__(self, agent):
        super().__init__(io.StringIO())
        self.interactive = True
        self._agent, self._looks = agent, 0

    def key(self):
        self._looks += 1
        self._agent.subject = "6" * 64
        return "y" if self._looks % 15 == 0 else None


def test_a_yes_is_to_what_was_on_the_screen(agent, followed):
    """It is refused when something else is asked by now; that is shown, and asked about, before it is answered."""
    follower, _, _ = followed
    screen = follower._screen = Slow(agent)
    agent.open_incident()
    follower.until_closed(follower.await_incident(5), 20)
    assert agent.refused == [SUBJECT]
    assert [decision["subject"] for decision in agent.decisions] == ["6" * 64]
    assert screen._console.file.getvalue().count("Press y or n") == 2
    assert screen._console.file.getvalue().count("+bad = 2") == 2


def test_no_incident_in_time_is_said(followed):
    """Waiting for a signal is bounded."""
    follower, _, _ = followed
    with pytest.raises(TooLate, match="no incident was opened"):
        follower.await_incident(0.3)


def test_an_answer_without_the_token_is_refused(agent, tmp_path):
    """Approving always needs a principal; the refusal says so."""
    agent.open_incident()
    door = Door(agent.url, tmp_path / "none")
    with pytest.raises(Refused, match="401"):
        door.post("/incidents/inc-1/approve", {})
    door.close()


def test_an_agent_that_is_away_is_refused_not_a_crash(tmp_path):
    """Nobody behind the door reads as not healthy, and every question as refused."""
    door = Door("http://127.0.0.1:1", tmp_path / "none")
    assert not door.healthy()
    assert door.signals() == {}
    with pytest.raises(Refused):
        door.incidents()
    door.close()


def test_signals_are_found_wherever_the_status_holds_them(agent, tmp_path):
    """Numbers are taken, labels are not."""
    door = Door(agent.url, tmp_path / "none")
    assert door.signals() == {"error_ratio": 0.25}
    door.close()


def test_a_feed_outlives_an_agent_that_is_away():
    """A feed without a server is quiet, and closes."""
    feed = Feed("http://127.0.0.1:1", "inc-1")
    assert feed.take() == []
    feed.close()
