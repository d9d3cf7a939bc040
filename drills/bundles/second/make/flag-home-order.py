# Flag 10% -> 50% of home feed ranking; feature store gets five times the reads. Alarm on session-svc, a neighbour on the same store. Spans.
from common import *
b = Bundle("flag-home-order", 328, "2025-09-24T18:00:00Z", 2, 15, "video-home", ["titles", "rows", "profiles", "plays"])
ON = 49; s = b.stp(ON, 2); d = b.day(.2, 100, 600)
b.svc("home-api", "prom", 180, 70, 380, traffic=d, slow=1 + 3 * s, fail=.05 * b.stp(ON + 4, 3)); b.svc("ranker", "prom", 18, 35, 160, traffic=d * (1 + 4 * s), slow=1 + 5 * s, cpum=1 + .2 * s); b.g("ranker", "candidates_per_request", 220, .04, dec=0); b.svc("row-svc", "prom", 175, 12, 90, traffic=d); b.svc("session-svc", "prom", 260, 6, 45, traffic=d, slow=1 + 16 * s, fail=.15 * b.stp(ON + 4, 3)); b.svc("play-svc", "prom", 120, 20, 140, traffic=d, slow=1 + 2 * s, fail=.04 * b.stp(ON + 5, 3)); b.g("scylla-features", "reads_per_s", 5200, .05, d * (1 + 3.3 * s)); b.g("scylla-features", "read_p99_ms", 3.4, .12, 1 + 26 * s); b.g("scylla-features", "reactor_utilisation", 41, .06, d * (1 + 1.2 * s), hi=100); b.c("scylla-features", "read_timeouts", 0, add=50 * b.stp(ON + 3, 3), start=11); b.g("scylla-features", "compaction_backlog", 3, .4, 1 + 2 * b.pulse(20, 37, 2)); b.g("scylla-features", "cache_hit_percent", 93, .01, 1 - .22 * s); b.svc("search", "dd", 60, 40, 220, traffic=d); b.g("gpu-pool", "utilisation", 22, .08, 1 + 2.4 * s)
b.g("search", "index_lag_s", 4, .3, 1 + 9 * b.pulse(66, 78, 1))
b.chat("home-api", "node", 330); b.chat("ranker", "ml", 230); b.chat("session-svc", "go", 230); b.chat("row-svc", "go", 110); b.chat("play-svc", "mobile", 120)
b.burst("session-svc", "error", "get session: gocql: Operation timed out for sessions.by_token - received only 0 responses from 1 CL=LOCAL_ONE", ON + 3, b.mins, 4); b.burst("ranker", "warn", "feature fetch took {n}ms keys=220", ON + 2, b.mins, 2.5); b.burst("home-api", "error", "home: session lookup failed user={id}", ON + 4, b.mins, 3); b.burst("home-api", "warn", "ranker timeout after 400ms, editorial order used", ON + 3, b.mins, 2)
for a, c, n, r in ((0, ON, 90, .1), (ON, 119, 130, .5)):
    base = [("session-svc", "GetSession", 4, [("scylla-features", "read sessions", 2, [])]), ("row-svc", "Rows", 9, [])]
    b.traces(int(n * (1 - r)), ("home-api", "GET /home", 30, base), slow={"scylla-features": 1 + 22 * s}, fail={"scylla-features:read sessions": .12 * b.stp(ON + 3, 3)}, a=a, b=c)
    b.traces(int(n * r), ("home-api", "GET /home", 30, base + [("ranker", "Rank", 25, [("scylla-features", "multiget features", 4, [])])]), slow={"scylla-features": 1 + 22 * s}, fail={"scylla-features:read sessions": .12 * b.stp(ON + 3, 3)}, a=a, b=c)
b.change("exp-home-order", "flag", ON - .1, "home-api", "experiments", "home_order: treatment 10 -> 50", [], None)
sha = b.change("se-c41", "commit", 22, "session-svc", "karlo", "Sessions live in the shared store, read at LOCAL_ONE", ["session/store.go"], diff("session/store.go", '''@@ -25,6 +25,6 @@ func (s *Store) Get(ctx context.Context, tok string) (*Session, error) {
 	q := s.sess.Query(byToken, tok).WithContext(ctx)
-	q.Consistency(gocql.LocalQuorum)
+	q.Consistency(gocql.LocalOne)
 	return scan(q)
 }
''')); b.change("se-rel-60", "deploy", 47, "session-svc", "ci", "session-svc 6.0", commit=sha); b.change("rk-rel-12", "deploy", 35, "ranker", "ci", "ranker 1.2 (candidates 200 -> 220)", ["ranker/config.py"], diff("ranker/config.py", '''@@ -3,2 +3,2 @@
-CANDIDATES = 200
+CANDIDATES = 220
''')); b.change("sc-cfg", "config", 19, "scylla-features", "data-infra", "compaction static shares 100 -> 150", [], None); b.change("exp-kids", "flag", 49.2, "home-api", "experiments", "kids_rows: 5 -> 20"); b.change("pl-rel-8", "deploy", 63, "play-svc", "ci", "play-svc 8.0")
b.alert("SessionErrors", "session-svc", 53.5, "critical", "session-svc 5xx > 10%"); b.alert("HomeLatency", "home-api", 54, "critical", "home p99 > 1 s")
b.edges = [["home-api", "session-svc"], ["home-api", "row-svc"], ["home-api", "ranker"], ["ranker", "scylla-features"], ["session-svc", "scylla-features"], ["ranker", "gpu-pool"], ["play-svc", "session-svc"], ["home-api", "search"]]
b.expect("flag_rollout", ["configuration", "capacity"], ["home-api", "ranker", "scylla-features"], "exp-home-order", ["se-rel-60", "se-c41", "rk-rel-12", "exp-kids", "sc-cfg", "pl-rel-8"], ON, [ON - 1, ON + 3], why="Ranker requests (fivefold) and store reads go up in the minute the flag goes from 10 to 50 while home requests stay the same; session-svc with the same read rate is a neighbour on that store (LOCAL_ONE makes reads cheaper).")
b.write(opened=54)
