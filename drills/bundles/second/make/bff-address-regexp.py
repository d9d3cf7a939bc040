# Node BFF: regexp backtracking; harmless until long addresses arrive at noon (partner campaign). Delayed. stack via --cpu-prof sample in log. Decoys later.
from common import *
b = Bundle("bff-address-regexp", 315, "2025-05-06T09:00:00Z", 4, 30, "grocery-bff", ["slots", "baskets", "addresses", "stores"])
ON = 137; DEP = 46; jit = (b.rng.random(b.n) < .55); s = b.stp(ON, 3) * (.45 + .55 * jit)
b.svc("delivery-bff", "dd", 90, 45, 260, slow=1 + 14 * s, slow50=1 + 3 * s, fail=.09 * s, cpum=1 + 1.6 * s, traffic=b.day(.15, 180, 500)); b.g("delivery-bff", "nodejs.eventloop.delay.p99", 12, .2, add=1900 * s); b.g("delivery-bff", "nodejs.active_handles", 140, .05, 1 + 1.2 * s, dec=0); b.put("delivery-bff", "kubernetes.containers.restarts", np.cumsum(b.rng.random(b.n) < .05 * b.stp(ON + 8)), dec=0)
b.svc("slot-svc", "prom", 70, 20, 120, traffic=1 - .3 * s); b.svc("address-svc", "prom", 25, 15, 90, traffic=1 - .2 * s); b.svc("basket-svc", "prom", 60, 18, 110, traffic=1 - .3 * s); b.svc("app-gateway", "prom", 190, 50, 300, slow=1 + 9 * s, fail=.06 * s); b.g("partner-import", "addresses_imported", 2, .8, add=60 * b.stp(ON - 3, 2), dec=0); b.g("mongo", "connections_current", 210, .04, dec=0); b.g("mongo", "opcounters_query", 900, .06, 1 - .2 * s); b.g("mongo", "wt_cache_dirty_pct", 2, .3, 1 + 5 * b.pulse(80, 96, 2))
b.chat("delivery-bff", "node", 360); b.chat("app-gateway", "nginx", 280); b.chat("slot-svc", "go", 110); b.chat("address-svc", "go", 110); b.burst("partner-import", "info", "imported {n} addresses from corporate-lunch partner, longest line 180 chars", ON - 3, b.mins, .4)
b.burst("delivery-bff", "warn", ["event loop blocked for 2{d}40ms requestId={hex} route=POST /bff/address/check", "event loop blocked for 1{d}10ms requestId={hex} route=POST /bff/address/check"], ON, b.mins, 2.2); b.burst("delivery-bff", "warn", "event loop blocked for 1{d}ms requestId={hex} route=GET /bff/slots", 0, b.mins, .06); b.burst("delivery-bff", "error", "Liveness probe failed, restarting; last profile sample: RegExp.exec (native) <- splitLine (dist/address/format.js:41:22) <- check (dist/address/route.js:18:10)", ON + 8, b.mins, .25); b.burst("app-gateway", "error", "upstream timed out (110) while reading response header, upstream: delivery-bff \"GET /bff/slots/{id}\"", ON + 1, b.mins, 4)
sha = b.change("gb-5520", "commit", 22, "delivery-bff", "tilde", "Address form accepts house number extensions", ["src/address/format.ts", "test/format.test.ts"], diff("src/address/format.ts", '''@@ -36,8 +36,8 @@
-const LINE = /^(\\D+)\\s(\\d+)(\\w?)$/;
+const LINE = /^((?:[\\w.'-]+\\s*)+)\\s+(\\d+)\\s*((?:[a-z0-9]+[\\s\\/-]*)*)$/i;
 
 export function splitLine(line: string): Line | null {
-  const m = LINE.exec(line);
+  const m = LINE.exec(line.trim());
   return m ? { street: m[1], no: m[2], ext: m[3] || undefined } : null;
 }
'''))
b.change("gb-rel-81", "deploy", DEP, "delivery-bff", "vercelctl", "delivery-bff 8.1", commit=sha); b.change("gb-5528", "commit", 98, "delivery-bff", "kees", "slots: dataloader batch window 5 ms -> 10 ms", ["src/slots/loader.ts"], diff("src/slots/loader.ts", '''@@ -7,3 +7,3 @@ export const slotLoader = new DataLoader(loadSlots, {
-  batchScheduleFn: (cb) => setTimeout(cb, 5),
+  batchScheduleFn: (cb) => setTimeout(cb, 10),
   maxBatchSize: 100,
''')); b.change("gb-rel-82", "deploy", 134, "delivery-bff", "vercelctl", "delivery-bff 8.2", commit=b.chg[-1][1]["commit"]); b.change("fl-lunch", "flag", 120, "app-gateway", "marketing", "corporate lunch partner: on"); b.change("ad-44", "deploy", 129, "address-svc", "vercelctl", "address-svc 4.4: longer address lines allowed (120 -> 200)", ["address/limits.go"], None); b.change("mg-3", "config", 60, "mongo", "dba", "slowms 100 -> 50", [], None)
b.alert("GatewayLatency", "app-gateway", 142, "critical", "p99 above 1.5 s"); b.alert("BffRestarts", "delivery-bff", 150, "warning", "containers are restarting")
b.edges = [["app-gateway", "delivery-bff"], ["delivery-bff", "slot-svc"], ["delivery-bff", "address-svc"], ["delivery-bff", "basket-svc"], ["slot-svc", "mongo"], ["basket-svc", "mongo"], ["partner-import", "address-svc"]]
b.expect("code_regexp", ["code"], ["delivery-bff"], "gb-5520", ["gb-rel-82", "gb-5528", "fl-lunch", "ad-44", "mg-3"], ON, [ON - 2, ON + 5], change_also=["gb-rel-81"], why="Event loop blocked on POST /address/check, sample in splitLine of address/format: the nested quantifier from 8.1; it slept 90 minutes until long lines arrived; downstream services get less, not slower.", delayed=True)
b.write(opened=143)
