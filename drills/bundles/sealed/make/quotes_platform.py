# C2 trading: subscription leak in Go gateway, OOM 2.7h later. Evidence: goroutines and rss climb linearly from the 06:25 deploy, heap log names fanout.subscribe; decoys minutes before the OOM.
from common import *
b = B("quotes_platform", 102, "2025-03-19T06:00:00", 300, 60, ids="{h8}", order="series")
b.chat_scale = 0.5
L = b.load(.3, 13); T0 = 27; O = 196
b.topo("web-terminal>quote-gateway,order-api;algo-client>quote-gateway,order-api;quote-gateway>md-normalizer,redis-snap;md-normalizer>feed-a,feed-b;order-api>risk-engine,oms-db;risk-engine>quote-gateway")
dead = [(O, O+2), (O+41, O+43), (O+78, O+80)]
def heap(v, m):
    r0 = T0
    for a, z in dead:
        if m >= a: r0 = a + 1
    rate = 15.6 if r0 == T0 else 62
    return v + (rate * (m - r0) if m > r0 else 0) if m > T0 else v
pulse = [f for a, z in dead for f in (add(a, .32, .5, z+3, 3),)]
pl = [f for a, z in dead for f in (mul(a-5, 3.4, 4, z+3, 3),)]
b.svc("quote-gateway", "prom", 420, 22, .0005, cpu=40, mem=720, load=L, errs=pulse, lat=[grow(T0, .00005)]+pl, memx=[heap], gaps=[(O+.5, O+1.5)], reset=[T0, O+1, O+42, O+79])
b.s("quote-gateway", "go_goroutines", 5200, .02, L, fx=[lambda v, m: v + (heap(0, m)) * 9], kind="i", rho=.8)
b.s("quote-gateway", "go_gc_duration_seconds_max", .004, .2, fx=[lambda v, m: v * (1 + heap(0, m) / 700)])
b.s("quote-gateway", "quote_gateway_ws_sessions", 3100, .02, L, kind="i", fx=[mul(a, .3, .3, z, 4) for a, z in dead] and [lambda v, m: v * (.35 if any(a <= m < z for a, z in dead) else 1)])
b.s("quote-gateway", "kube_pod_container_status_restarts_total", 0, 0, kind="k", fx=[add(a+1, 1, 0) for a, _ in dead])
b.svc("md-normalizer", "prom", 1900, 6, .0001, load=L, rt="go"); b.svc("order-api", "prom", 60, 45, .001, load=L, errs=[lambda v, m: v + (.04 if any(a <= m < z for a, z in dead) else 0)], rt="jvm")
b.svc("risk-engine", "prom", 65, 18, .0005, load=L, errs=[lambda v, m: v + (.21 if any(a <= m < z+1 for a, z in dead) else 0)], lat=pl, reset=[O-4])
b.svc("web-terminal", "statsd", 140, 120, .002, load=L, errs=pulse)
for f in ("feed-a", "feed-b"): b.s(f, "feed_msgs_per_sec", 21000, .08, b.load(.5, 14)); b.s(f, "feed_sequence_gaps", .05, 0, kind="p")
b.pg("oms-db", 40, 150, 22, 700, L); b.s("redis-snap", "redis_memory_used_bytes", 2.1e9, .01); b.s("redis-snap", "redis_evicted_keys_total", 0, 0, kind="k")
b.chat("quote-gateway", 2, ["I ws open session={hex6} symbols={#1-80} remote={ip}", "I ws close session={hex6} code=1001 lived={#20-4000}s", "I request completed method=GET path=/snapshot/{EQ|FX|FUT} status=200 dur={~7}ms", "W slow consumer session={hex6} dropped={#1-40}"], pods=2)
b.chat("md-normalizer", 1, "go"); b.chat("order-api", 1, "spring"); b.chat("risk-engine", .8, "go"); b.chat("oms-db", .3, "pg"); b.chat("web-terminal", .7, "node")
for m in range(60, 190, 30): b.log(m + .3, "quote-gateway", f"D memstats heap_inuse={720+int(15.6*(m-T0))}MB goroutines={5200+int(140*(m-T0))} top=fanout.(*Hub).subscribe")
for a, z in dead:
    for k in range(12): b.log(a + k * .05, "risk-engine", "E mark price lookup failed: dial quote-gateway: connection refused", symbol="{AX1|BQ7|ZN4|KL2}")
    b.log(a, "quote-gateway", "E signal: killed (OOMKilled) limit=3584Mi"); b.log(a + 1.2, "quote-gateway", "I starting quote-gateway build=2.31.0"); b.log(a - 2, "quote-gateway", "W gc: forced, heap at 94% of GOMEMLIMIT")
    b.chat("web-terminal", 14, ["W websocket closed 1006, reconnecting in {#1-5}s", "E quotes unavailable, showing last snapshot"], a, a + 3)
b.log(T0 + .2, "quote-gateway", "I starting quote-gateway build=2.31.0")
G = b.change(T0 - .6, "deploy", "quote-gateway", "quote-gateway 2.31.0: resubscribe on symbol-list change", diff=D("quote-gateway/internal/fanout/session.go", """
 func (s *Session) SetSymbols(ctx context.Context, symbols []string) error {
-\tadd, drop := diff(s.symbols, symbols)
-\tfor _, d := range drop {
-\t\ts.hub.Unsubscribe(s.id, d)
-\t}
-\tfor _, a := range add {
-\t\ts.hub.Subscribe(s.id, a, s.out)
+\t// the client always sends the full list, so rebuild from it
+\tfor _, sym := range symbols {
+\t\tch := s.hub.Subscribe(s.id, sym, s.out)
+\t\tgo s.pump(ctx, sym, ch)
 \t}
 \ts.symbols = symbols
 \treturn nil
 }""", 77, "type Session struct {"))
d1 = b.change(O-4.2, "deploy", "risk-engine", "risk-engine 5.0.8: mark price cache 250ms", diff=D("risk-engine/internal/marks/cache.go", """
-const ttl = 500 * time.Millisecond
+const ttl = 250 * time.Millisecond
 
 func (c *Cache) Get(sym string) (Mark, bool) {
 \tc.mu.RLock()""", 14))
d2 = b.change(O-9.5, "config", "quote-gateway", "quote-gateway: max ws frame 64k -> 128k", diff=D("helm/quote-gateway/values.yaml", """
 env:
   WS_WRITE_TIMEOUT: 5s
-  WS_MAX_FRAME: "65536"
+  WS_MAX_FRAME: "131072"
   GOMEMLIMIT: 3400MiB""", 22))
b.change(O+44, "config", "quote-gateway", "mitigation: replicas 2 -> 4", diff=D("helm/quote-gateway/values.yaml", " image:\n   tag: 2.31.0\n-replicas: 2\n+replicas: 4", 3))
b.bg(6, ["md-normalizer", "order-api", "web-terminal", "oms-db"], avoid=[(O-5, O+5)])
b.alert(O+1.5, "QuoteGatewayDown", "critical", "quote-gateway restarted, sessions dropped", "up == 0 for 1m", service="quote-gateway"); b.alert(O+2, "RiskMarkPriceErrors", "critical", "risk-engine cannot get mark prices", "error ratio 20%", service="risk-engine", ends=O+6)
b.done("quotes platform", "subscription leak, OOM hours later", ["code"], ["quote-gateway"], G, [d1, d2], T0, "goroutines and memory climb in a line from the 2.31.0 start until the OOM kill; nothing bends at the two changes right before it.", alt=O)
