# N7 logistics: carrier file with semicolons/invalid UTF-16 and repeated ids; only carrier C31; parser deploy decoy. No topology.
from common import *
b = B("carrier_manifests", 307, "2025-02-04T05:00:00", 160, 60, ids="b{n}", tz="+00:00")
L = b.load(.3, 13); T = 75
F = {"C07": 12, "C12": 33, "C31": T, "C44": 101}
for c in F:
    b.s("sftp-watch", f"sftp_files_received{{carrier={c}}}", 0, 0, kind="k", fx=[add(F[c], 1, 0)]); b.s("feed-parser", f"parser_rows_ok{{carrier={c}}}", 0, 0, kind="k", fx=[add(F[c]+1, 30200+F[c]*31, 0, F[c]+4, 0)] if c != "C31" else [add(T+1, 214, 0, T+3, 0)]); b.s("feed-parser", f"parser_rows_rejected{{carrier={c}}}", 3, 0, kind="p", fx=[add(T+1, 26100, 1, 140)] if c == "C31" else [])
b.s("sftp-watch", "sftp_file_bytes_last", 4.1e6, 0, kind="k", fx=[to(33, 4388211, 0), to(T, 61840418, 0), to(101, 4012203, 0)])
b.s("feed-parser", "parser_restarts", 0, 0, kind="k", fx=[lambda v, m: int(max(0, (m - T - 3) / 6)) if m > T + 3 else 0]); b.s("feed-parser", "parser_rss_mb", 340, .03, fx=[add(x+1, 160, 1, x+4) for x in (12, 33, 101)] + [lambda v, m: v + (((m - T) % 6) / 6 * 3400 if T < m else 0)]); b.s("feed-parser", "parser_cpu_pct", 9, .2, fx=[add(x+1, 50, 1, x+4) for x in (12, 33, 101)] + [add(T+1, 85, 1)])
b.s("eta-service", "eta_missing_ratio", .02, .1, fx=[to(T+5, .29, 20)]); b.svc("eta-service", "prom", 45, 60, .001, load=L); b.svc("track-web", "prom", 120, 130, .002, load=L, rt="node"); b.s("events-queue", "queue_depth", 300, .3, kind="i", fx=[add(T+2, 9200, 3)]); b.s("events-queue", "dlq_depth", 4, 0, kind="k", fx=[lambda v, m: v + int(max(0, m - T - 1) * 410)]); b.pg("parcel-db", 40, 150, 22, 500, L)
b.chat("feed-parser", 1, ["D heartbeat idle", "I lookup service codes refreshed n=212"]); b.chat("track-web", 2.5, "node"); b.chat("eta-service", 1.4, "py"); b.chat("parcel-db", .6, "pg"); b.chat("events-queue", .6, ["I visibility sweep ok", "I delivered {#20-90} messages"]); b.chat("sftp-watch", .4, ["D poll /in ok"])
for c, m in F.items():
    b.log(m, "sftp-watch", f"I new file carrier={c} name=manifest_20250204_{c}.csv size={61840418 if c=='C31' else 4000000+int(m)*9111} lines={402118 if c=='C31' else 30200+int(m)*31}"); b.log(m+.5, "feed-parser", f"I parse start carrier={c} build=3.8.0" if m > 66 else f"I parse start carrier={c} build=3.7.5")
    if c != "C31": b.log(m+4, "feed-parser", f"I parse done carrier={c} ok={30200+int(m)*31} rejected={{#0-4}}")
b.chat("feed-parser", 5, ["E row {#1000-400000} carrier=C31: expected 14 columns, got {1|27|28} (sep=',' line starts \"{#100000-999999};DE;2025-02-0{3|4};\")", "W duplicate parcel_id {#100000-999999} in the same file carrier=C31 (seen {#12-14} times)", "E row {#1000-400000} carrier=C31: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"], T+1); b.chat("feed-parser", .3, ["E worker lost: MemoryError\nTraceback (most recent call last):\n  File \"/srv/feed/parse.py\", line 133, in run\n    seen[row.parcel_id].append(row)\nMemoryError"], T+3); b.chat("eta-service", 1.2, ["W no manifest for parcel carrier=C31 id={#100000-999999}"], T+6)
d1 = b.change(66, "deploy", "feed-parser", "feed-parser 3.8.0: column count check before conversion", diff=D("feed/parse.py", """
     for n, row in enumerate(reader, 1):
+        if len(row) != len(spec.columns):
+            log.error("row %d carrier=%s: expected %d columns, got %d", n, spec.carrier, len(spec.columns), len(row))
+            rejected.append((n, row))
+            continue
         yield spec.convert(row)""", 101))
d2 = b.change(T-1.4, "config", "events-queue", "events-queue: visibility timeout 30 -> 45 s", diff=D("terraform/queue.tf", "-  visibility_timeout_seconds = 30\n+  visibility_timeout_seconds = 45", 12))
d3 = b.change(58, "deploy", "eta-service", "eta-service 5.1.1: holiday calendar", diff=D("eta/calendar.py", "+    date(2025, 2, 24): \"regional\",\n     date(2025, 4, 18): \"all\",", 31))
b.bg(5, ["track-web", "parcel-db", "sftp-watch"], -60, 140)
b.alert(T+9, "ParserRejects", "critical", "26k rejected rows per minute", "", service="feed-parser"); b.alert(T+26, "EtaMissing", "warning", "ETA missing for 25% of lookups", "", service="eta-service")
b.done("carrier manifests", "malformed and oversized file of one carrier", ["data", "dependency"], ["feed-parser", "sftp-watch"], None, [d1, d2, d3], T, "the C31 file is 15 times the usual size, has the wrong separator and encoding and repeated ids; C44 parses cleanly later with the same 3.8.0 build.", no=("topology",))
