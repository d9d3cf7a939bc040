// Pages work without this: it shows times in the reader's own zone, and keeps pages up to date.
"use strict";

function localTimes(root) {
  for (const each of root.querySelectorAll("time")) {
    const moment = new Date(each.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    each.title = each.title || each.dateTime;
    each.textContent = each.dataset.form === "time" ? moment.toLocaleTimeString() : moment.toLocaleString();
  }
}

// The dashboard's tables, fetched again and put in place.
function refresh(marker) {
  const part = document.getElementById(marker.dataset.refresh);
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      localTimes(fresh);
      part.replaceChildren(...fresh.childNodes);
    } catch { /* the agent does not answer: the next round asks again */ }
  }, Number(marker.dataset.seconds) * 1000);
}

// New entries of an incident's trail; when its state has changed the page is loaded again, unless somebody is typing.
const TURNS = new Set(["diagnosis.made", "approval.requested", "approval.decided", "verification.finished", "incident.closed"]);

function show(list, entry) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.dateTime = entry.at;
  time.dataset.form = "time";
  const kind = document.createElement("code");
  kind.textContent = entry.kind;
  const said = document.createElement("span");
  said.textContent = entry.message;
  item.append(time, kind, said);
  localTimes(item);
  list.append(item);
  const typing = [...document.querySelectorAll("input:not([type=hidden])")].some((input) => input.value !== "");
  if (TURNS.has(entry.kind) && !typing) location.reload();
}

async function follow(list) {
  let after = list.dataset.after;
  for (;;) {
    let left = "";
    try {
      const answer = await fetch(`${list.dataset.source}?after=${after}`);
      if (answer.status >= 400 && answer.status < 500) return;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const messages = (left + part.value).split("\n\n");
        left = messages.pop();
        for (const message of messages) {
          const data = message.split("\n").find((line) => line.startsWith("data: "));
          if (!data) continue;
          const entry = JSON.parse(data.slice(6));
          after = entry.seq;
          show(list, entry);
        }
      }
    } catch { /* the agent went away: asked again below, behind the last entry seen */ }
    await new Promise((again) => setTimeout(again, 2000));
  }
}

localTimes(document);
for (const marker of document.querySelectorAll("[data-refresh]")) refresh(marker);
for (const list of document.querySelectorAll("ol.events[data-live]")) follow(list);
