# N2 trading: surprise news -> order/tick burst x5, saturates matching and md fan-out. No logs. Decoys.
from common import *
b = B("exchange_core", 302, "2025-10-14T12:45:00", 60, 10, ids="x{n}", order="series")
L = b.load(.1, 14); T = 24
b.topo("fix-gw>sequencer;web-gw>sequencer;sequencer>matcher;matcher>md-publisher,trade-store;md-publisher>web-gw;risk>sequencer")
up = lambda f, d=0: [mul(T+d, f, 2.5, 40, 12)]
for c, r, f in (("fix-gw", 900, 5.2), ("web-gw", 260, 6.1)): b.s(c, f"{c.replace('-','_')}_orders_in_total", r, .05, L, up(f), kind="r"); b.s(c, f"{c.replace('-','_')}_sessions", 140 if c == "fix-gw" else 5200, .01, L, [mul(T, 1.02 if c == "fix-gw" else 1.9, 6)], kind="i"); b.s(c, f"{c.replace('-','_')}_rejects_total", .4, .1, fx=[add(T+2, 130, 3, 42, 8)], kind="r"); b.s(c, "cpu_busy_pct", 24, .06, fx=up(2.7), hi=100); b.s(c, f"{c.replace('-','_')}_cancel_ratio", .41, .02, fx=up(1.25))
b.s("sequencer", "sequencer_events_total", 1160, .04, L, up(4.1), kind="r"); b.s("sequencer", "sequencer_ring_occupancy", .04, .2, fx=[to(T+2, .98, 3, 41, 10)], hi=1); b.s("sequencer", "sequencer_latency_us_p99", 38, .15, fx=[mul(T+2, 240, 4, 41, 10)]); b.s("sequencer", "cpu_busy_pct", 31, .05, fx=[to(T+1, 99, 3, 41, 10)], hi=100)
b.s("matcher", "matcher_match_latency_us_p99", 22, .15, fx=up(3.2, 1)); b.s("matcher", "matcher_trades_total", 210, .06, L, up(4.4), kind="r"); b.s("matcher", "cpu_busy_pct", 34, .05, fx=up(2.4), hi=100); b.s("matcher", "matcher_halted_symbols", 0, 0, kind="k", fx=[add(31, 3, 0, 36, 0)]); b.s("matcher", "matcher_gc_pauses", 0, 0, kind="k")
b.s("md-publisher", "mdp_packets_out_total", 18000, .05, L, up(5.4), kind="r"); b.s("md-publisher", "mdp_conflation_ratio", .02, .2, fx=[to(T+1, .61, 3, 41, 10)]); b.s("md-publisher", "mdp_egress_mbps", 310, .05, fx=up(3.1)); b.s("md-publisher", "mdp_lag_ms", 2, .2, fx=up(45, 1))
b.s("trade-store", "wal_mb_s", 12, .1, fx=up(4.2)); b.s("trade-store", "commit_ms_p99", 3.1, .15, fx=up(2.1)); b.s("trade-store", "disk_util_pct", 17, .1, fx=up(2.6)); b.s("risk", "risk_checks_total", 1150, .04, L, up(4.1), kind="r"); b.s("risk", "risk_latency_us_p99", 60, .12, fx=up(1.7)); b.s("risk", "risk_breaches", 0, 0, kind="p", fx=[add(T+1, 1.2, 3)])
b.s("matcher", "index_realized_vol_1m", .11, .12, fx=[mul(T-.3, 9, 1.5, 36, 14)]); b.s("web-gw", "web_gw_cdn_hits", 9000, .05, L, up(3.5), kind="i"); b.s("risk", "config_generation", 811, 0, kind="k", fx=[add(18.2, 1, 0)])
d1 = b.change(T-1.2, "deploy", "sequencer", "sequencer 7.3.4: batch publish of acks", diff=D("sequencer/src/ring.rs", """
     fn drain(&mut self, out: &mut Publisher) {
-        while let Some(ev) = self.next() {
-            out.publish(ev.ack());
-        }
+        let mut batch = AckBatch::with_capacity(64);
+        while let Some(ev) = self.next() {
+            if batch.push(ev.ack()).is_full() { out.publish_all(batch.take()); }
+        }
+        out.publish_all(batch.take());
     }""", 102))
d2 = b.change(18, "config", "risk", "risk: price collar 8% -> 10% for index options", diff=D("risk/collars.yaml", " index_options:\n-  collar_pct: 8\n+  collar_pct: 10\n   ref: last_auction", 21))
d3 = b.change(8, "deploy", "web-gw", "web-gw 330", files=["web-gw/Chart.yaml"], diff=None)
b.bg(5, ["fix-gw", "md-publisher", "trade-store"], -60, 22)
b.alert(T+4, "SequencerLatency", "critical", "sequencer p99 above 5 ms", "", service="sequencer"); b.alert(T+4.5, "OrderRejectsBusy", "critical", "gateways reject: busy", "", service="fix-gw"); b.alert(T+5, "MdLag", "warning", "md lag 80 ms", "", service="md-publisher")
b.traces(90, N("fix-gw", "NewOrder", .4, [N("risk", "precheck", .1), N("sequencer", "enqueue", .2, [N("matcher", "match", .1, lat=up(3.2))], lat=[mul(T+2, 200, 4, 41, 10)], err=lambda m: .1 if T+3 < m < 44 else 0)]))
b.done("exchange core", "market event: five-fold order burst on all gateways", ["traffic", "capacity"], ["sequencer", "fix-gw", "web-gw"], None, [d1, d2, d3], T, "volatility moves first, then orders in at both gateways (also members' FIX) rise 5x and everything scales with them; it recedes with volatility while the sequencer build stays.", no=("logs",))
