# Scraper wave on Node BFF; search (Elasticsearch) looks worst. Deploy of the BFF 3 min before. Spans.
from common import *
b = Bundle("bff-bot-wave", 308, "2025-08-27T20:00:00Z", 2, 20, "travel-bff", ["hotels", "flights", "cities", "deals", "reviews"])
ON = 58; s = b.stp(ON, 3); d = b.day(.15, 20)
b.g("edge-cdn", "RequestsPerMinute", 31000, .03, d * (1 + 1.9 * s), dec=0); b.g("edge-cdn", "CacheHitRate", 71, .02, 1 - .38 * s); b.g("edge-cdn", "UniqueClientIPs", 9100, .03, 1 + .9 * s, dec=0); b.g("edge-cdn", "4xxErrorRate", 1.2, .1); b.g("edge-cdn", "BytesDownloaded", 8.4e8, .05, 1 + .6 * s, dec=-5)
b.svc("web-bff", "cw", 150, 55, 320, traffic=d * (1 + 4.2 * s), slow=1 + 4 * s, fail=.05 * b.stp(ON + 6, 4)); b.g("web-bff", "nodejs_eventloop_lag_p99_ms", 14, .2, 1 + 3 * s)
b.svc("search-svc", "prom", 110, 45, 260, traffic=d * (1 + 5.1 * s), slow=1 + 16 * b.stp(ON + 3, 5), slow50=1 + 8 * b.stp(ON + 3, 5), fail=.26 * b.stp(ON + 5, 4), cpum=1 + .6 * s)
b.g("search-index", "es_search_queue", 3, .7, add=930 * b.stp(ON + 3, 5), dec=0); b.c("search-index", "es_search_rejected", 0, add=31 * b.stp(ON + 5, 4), start=7); b.g("search-index", "es_cpu_percent", 44, .06, d * (1 + 1.2 * s), hi=100); b.g("search-index", "es_heap_percent", 61, .05); b.g("search-index", "es_merges_current", 1, .5)
b.svc("pricing-svc", "prom", 70, 22, 130, traffic=d * (1 + .1 * s)); b.svc("booking-svc", "prom", 9, 120, 540, traffic=d); b.g("booking-svc", "bookings_per_min", 31, .13, d * (1 - .12 * b.stp(ON + 6, 4))); b.svc("profile-svc", "prom", 40, 15, 90, traffic=d); b.g("redis", "redis_keyspace_hit_ratio", .88, .02, 1 - .45 * s); b.g("redis", "redis_cpu", .22, .07, 1 + .9 * s)
b.g("booking-svc", "gc_pause_ms", 12, .4, 1 + 14 * b.pulse(33, 35, .4))
b.chat("web-bff", "node", 420); b.chat("search-svc", "go", 260); b.chat("booking-svc", "spring", 120); b.chat("pricing-svc", "go", 100)
b.burst("edge-cdn", "INFO", ['{ip} "GET /hotels/{id}?in=2025-09-{d} HTTP/2" Hit ua="Mozilla/5.0 Safari" sess=y', '{ip} "GET /flights?from=C{d}&to=C{d} HTTP/2" Miss ua="Mozilla/5.0 Chrome/139" sess=y'], 0, b.mins, 4); b.burst("edge-cdn", "INFO", ['185.{d}.{d}.{d} "GET /hotels?city={id}&in=2025-09-{d}&out=2025-10-{d}&page={n} HTTP/1.1" Miss ua="python-httpx/0.27" sess=n', '45.{d}.{d}.{d} "GET /hotels?city={id}&in=2025-11-{d}&page={n} HTTP/1.1" Miss ua="Chrome/101" sess=n'], ON - .5, b.mins, 9)
b.burst("search-svc", "error", "search: es_rejected_execution_exception: rejected execution of QueryPhase on EsThreadPoolExecutor[name = search, queue capacity = 1000]", ON + 5, b.mins, 6); b.burst("web-bff", "error", "GET /bff/hotels 503 upstream search-svc", ON + 5.5, b.mins, 4)
tree = ("web-bff", "GET /hotels", 14, [("search-svc", "Search", 12, [("search-index", "_search", 25, [])]), ("pricing-svc", "Quote", 16, []), ("profile-svc", "Me", 9, [])])
b.traces(210, tree, slow={"search-index": 1 + 22 * b.stp(ON + 3, 5)}, fail={"search-index": .26 * b.stp(ON + 5, 4)})
c = b.change("bff-8812", "commit", 31, "web-bff", "noor", "hotel list: ask for 40 instead of 25 per page", ["src/hotels/list.ts"], diff("src/hotels/list.ts", '''@@ -18,7 +18,7 @@ export async function listHotels(ctx: Ctx, q: HotelQuery) {
   const res = await ctx.search.hotels({
     city: q.city,
     page: q.page ?? 1,
-    size: 25,
+    size: 40,
   });
'''))
b.change("bff-rel-402", "deploy", 55, "web-bff", "pipeline", "web-bff 402", commit=c); b.change("idx-12", "config", 44, "search-index", "search-team", "hotels index: refresh_interval 1s -> 5s", ["es/hotels-settings.json"], None); b.change("se-220", "deploy", 57.5, "search-svc", "pipeline", "search-svc 2.2.0: typed errors", ["search/errors.go"], diff("search/errors.go", '''@@ -3,4 +3,8 @@ package search
+var ErrRejected = errors.New("search: rejected")
+
 func wrap(err error) error {
+	if isRejected(err) {
+		return fmt.Errorf("search: %w: %v", ErrRejected, err)
+	}
'''))
b.change("fl-map", "flag", 49, "web-bff", "product", "map view default for tablets"); b.change("pr-51", "deploy", 83, "pricing-svc", "pipeline", "pricing-svc 51")
b.alert("SearchErrors", "search-svc", 65, "critical", "search-svc 5xx > 10%"); b.alert("BffLatency", "web-bff", 64, "warning", "TargetResponseTime > 0.25 s"); b.alert("EsRejections", "search-index", 66, "critical", "search thread pool rejecting", label="cluster")
b.edges = [["edge-cdn", "web-bff"], ["web-bff", "search-svc"], ["web-bff", "pricing-svc"], ["web-bff", "profile-svc"], ["web-bff", "booking-svc"], ["search-svc", "search-index"], ["search-svc", "redis"]]
b.expect("traffic_surge", ["traffic"], ["edge-cdn", "web-bff"], None, ["bff-rel-402", "bff-8812", "se-220", "idx-12", "fl-map"], ON, [ON - 1, ON + 3], why="Requests at the edge rise threefold from session-less clients enumerating cities and dates (httpx, Chrome/101), cache hits fall, bookings and per-user services do not rise; page size 40 changes no request count.")
b.write(opened=66)
