"""A person at a real browser: what is asked is seen whole, the answer is bound to it, and hostile text stays text."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import expect, sync_playwright

from agent.web.access import COOKIE, ensure_token
from agent.web.api import create_api
from web.stories import DIFF, RIDERS, TITLE, closed_incident, waiting_incident

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
QUIETER = ("--disable-component-update", "--disable-sync")
HOSTILE = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
HOSTILE_DIFF = DIFF.replace("            continue", f"            continue  # {HOSTILE} \u202e}}drawkcab")


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing, and without it nobody has looked at the pages: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *QUIETER])
        yield browser
        browser.close()


@pytest.fixture
def address(agent):
    """The agent's pages on a free loopback port."""
    listener = socket.create_server(("127.0.0.1", 0))
    api = create_api(lambda: agent, agent.settings)
    server = uvicorn.Server(uvicorn.Config(api, log_config=None, timeout_graceful_shutdown=2, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def opened(chromium, address):
    """Opens tabs; at the end nothing has left loopback, nothing was run, and no page had an error."""
    contexts, hosts, problems = [], set(), []

    def make(**options):
        context = chromium.new_context(base_url=address, **options)
        contexts.append(context)
        context.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        tab.on("dialog", lambda dialog: problems.append(dialog.message))
        tab.on("pageerror", lambda error: problems.append(str(error)))
        return tab

    yield make
    for context in contexts:
        context.close()
    assert hosts <= {"127.0.0.1", "localhost"}
    assert problems == []


@pytest.fixture
def asked(agent):
    return waiting_incident(agent.store)


def sign_in(tab, agent, name="ines"):
    tab.goto("/")
    tab.get_by_role("link", name="Sign in", exact=True).click()
    tab.get_by_label("Your name").fill(name)
    tab.get_by_label("Token").fill(ensure_token(agent.settings))
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_text(name)).to_be_visible()


def answer_of(agent, asked):
    return agent.store.approvals(asked.incident_id)[-1]


def test_a_person_signs_in_reads_and_approves(agent, asked, opened):
    """The yes is in the store, with the person's name, for exactly the patch that was shown."""
    tab = opened()
    sign_in(tab, agent)
    expect(tab.get_by_text("waiting for your answer")).to_be_visible()
    tab.get_by_role("link", name="HighErrorRatio on market-predictor").click()
    expect(tab.locator("#patch tr.added").first).to_contain_text("if index < window:")
    expect(tab.locator("#patch > .scroll tr.removed")).to_have_count(3)
    for seen in (TITLE, "3 of 3 runs show ZeroDivisionError", "94%", "Which commit turned it red?", "Also ships"):
        expect(tab.get_by_text(seen).first).to_be_visible()
    tab.locator("#ask").get_by_label("Comment").fill("looks right")
    tab.get_by_role("button", name="Yes, merge and deploy").click()
    expect(tab.get_by_role("cell", name="approved")).to_be_visible()
    expect(tab.locator("#ask")).to_have_count(0)
    given = answer_of(agent, asked)
    assert (given.state, given.by, given.comment) == ("approved", "ines", "looks right")
    assert given.subject == asked.subject
    assert agent.store.incident(asked.incident_id).waiting is None


@pytest.mark.parametrize("javascript", [True, False])
def test_a_person_rejects_with_the_token_alone(agent, asked, opened, javascript):
    """Without a session, and without JavaScript, the form on the page is enough."""
    tab = opened(java_script_enabled=javascript)
    tab.goto(f"/incidents/{asked.incident_id}")
    ask = tab.locator("#ask")
    ask.get_by_label("Your name").fill("omar")
    ask.get_by_label("Token").fill(ensure_token(agent.settings))
    ask.get_by_role("button", name="No, reject it").click()
    expect(tab.get_by_role("cell", name="rejected")).to_be_visible()
    given = answer_of(agent, asked)
    assert (given.state, given.by, given.subject) == ("rejected", "omar", asked.subject)


def test_a_wrong_token_decides_nothing(agent, asked, opened):
    """The page says what to do, and the question stays open."""
    tab = opened()
    tab.goto(f"/incidents/{asked.incident_id}")
    tab.locator("#ask").get_by_label("Your name").fill("mallory")
    tab.locator("#ask").get_by_label("Token").fill("guess")
    tab.get_by_role("button", name="Yes, merge and deploy").click()
    expect(tab.get_by_role("alert")).to_contain_text("mpa token show")
    assert answer_of(agent, asked).state == "pending"
    assert tab.context.cookies() == []


def test_an_answer_to_what_was_replaced_is_refused(agent, asked, opened):
    """A page loaded before the question changed cannot approve what it did not show."""
    tab = opened()
    sign_in(tab, agent)
    tab.goto(f"/incidents/{asked.incident_id}")
    with agent.store.begin() as tx:
        tx.save_approval(asked.model_copy(update={"subject": "f" * 64}))
    tab.get_by_role("button", name="Yes, merge and deploy").click()
    expect(tab.get_by_role("alert")).to_contain_text("another patch")
    assert answer_of(agent, asked).state == "pending"


def test_a_form_of_another_page_is_refused(agent, asked, opened, address):
    """The session's cookie alone decides nothing: the form must carry the key that only our pages know."""
    tab = opened()
    sign_in(tab, agent)
    [cookie] = tab.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (COOKIE, True, "Strict")
    assert ensure_token(agent.settings) not in cookie["value"]
    where = f"/incidents/{asked.incident_id}"
    form = {"answer": "yes", "subject": asked.subject}
    for key in ({}, {"key": ""}, {"key": "0" * 64}):
        assert tab.request.post(f"{where}/answer", form={**form, **key}).status == 403
    assert tab.request.post(f"{where}/approve").status == 401
    tab.goto(address.replace("127.0.0.1", "localhost") + where)
    other = tab.evaluate(
        "([to, body]) => fetch(to, {method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams(body)})"
        ".then(() => 'sent', () => 'refused')",
        [f"{address}{where}/answer", form],
    )
    assert other == "refused"
    assert answer_of(agent, asked).state == "pending"


def test_hostile_text_is_shown_as_text(agent, opened):
    """Alert, diff and trail hold markup: it is read, not run, and hidden characters are told."""
    asked = waiting_incident(agent.store, title=f"{HOSTILE} on market-predictor", diff=HOSTILE_DIFF)
    tab = opened()
    for where in ("/", f"/incidents/{asked.incident_id}"):
        tab.goto(where)
        expect(tab.get_by_text(HOSTILE).first).to_be_visible()
        assert tab.locator("main script, main img").count() == 0
        assert tab.evaluate("window.ran") is None
    expect(tab.locator("#patch tr.added", has_text=HOSTILE)).to_contain_text("<U+202E>}drawkcab")


def test_an_open_page_follows_what_happens(agent, asked, opened):
    """New entries of the trail appear by themselves, once each."""
    tab = opened()
    tab.goto(f"/incidents/{asked.incident_id}")
    entries = tab.locator("ol.events li")
    before = entries.count()
    for number in (1, 2):
        agent.store.append("trial.finished", f"<b>trial {number}</b>", incident_id=asked.incident_id)
        expect(entries).to_have_count(before + number)
    expect(entries.last).to_contain_text("<b>trial 2</b>")
    tab.close()


def test_the_page_tells_what_ships_with_it(agent, asked, opened):
    """Commit and title of every rider stand in the question; afterwards they stand with the answer."""
    tab = opened()
    tab.goto(f"/incidents/{asked.incident_id}")
    for commit, title in RIDERS.items():
        expect(tab.locator("#ask .riders li", has_text=f"{commit[:10]} {title}")).to_be_visible()
    closed = closed_incident(agent.store)
    tab.goto(f"/incidents/{closed.id}")
    expect(tab.get_by_text("with 2 commits of other people")).to_be_visible()


def test_the_page_tells_what_production_said(agent, opened):
    """With the reproduction's verdict on the old and on the new release."""
    tab = opened()
    tab.goto(f"/incidents/{closed_incident(agent.store).id}")
    rows = tab.locator("h3:has-text('The reproduction') + table tbody tr")
    expect(rows.nth(0)).to_contain_text("✗ red")
    expect(rows.nth(1)).to_contain_text("✓ green")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_pages_fit_the_screen(agent, asked, opened, width, scheme):
    """Nothing is wider than the window: a long line scrolls inside its own box."""
    closed = closed_incident(agent.store)
    tab = opened(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for where in ("/", f"/incidents/{asked.incident_id}", f"/incidents/{closed.id}", "/docs", "/session", "/nowhere"):
        tab.goto(where)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, where


def test_the_emergency_stop_is_on_the_dashboard(agent, opened):
    """Anybody on this machine stops the agent with one click; lifting it needs to sign in."""
    tab = opened()
    tab.goto("/")
    tab.get_by_role("button", name="Emergency stop").click()
    expect(tab.get_by_text("ON: no effects")).to_be_visible()
    assert agent.status().emergency_stop
    expect(tab.get_by_role("button", name="Lift the emergency stop")).to_have_count(0)
    sign_in(tab, agent)
    tab.get_by_role("button", name="Lift the emergency stop").click()
    expect(tab.get_by_role("button", name="Emergency stop")).to_be_visible()
    assert not agent.status().emergency_stop
