// Appends the incident's events as they come, and shows times in the reader's own zone.
for (const each of document.querySelectorAll("time")) {
  const moment = new Date(each.dateTime);
  if (!Number.isNaN(moment.getTime())) { each.title = each.dateTime; each.textContent = moment.toLocaleString(); }
}
const list = document.querySelector("ul.events");
if (list) {
  const source = new EventSource(list.dataset.source);
  const show = (message) => {
    const entry = JSON.parse(message.data);
    const item = document.createElement("li");
    item.textContent = `${new Date(entry.at).toLocaleTimeString()}  ${entry.kind}  ${entry.message}`;
    list.append(item);
    if (entry.kind === "approval.requested" || entry.kind === "incident.closed") {
      if (Date.now() - new Date(entry.at).getTime() < 5000) location.reload();
      if (entry.kind === "incident.closed") source.close();
    }
  };
  for (const kind of list.dataset.kinds.split(" ")) source.addEventListener(kind, show);
}
