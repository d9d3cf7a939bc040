# C5 game: season id code fails at the month end boundary; 110 min after deploy. Decoys: store event config 23:57, matchmaking deploy 23:52.
from common import *
b = B("game_liveops", 105, "2025-02-28T21:40:00", 200, 60, ids="gs{n}", logms=False)
b.chat_scale = 0.5
L = b.load(.35, 21); T = 140
b.topo("game-client-edge>profile-api,leaderboard,matchmaker,store-api;profile-api>profile-mongo;leaderboard>redis-ranks,profile-api;matchmaker>leaderboard,session-alloc;store-api>profile-mongo;session-alloc>fleet")
b.svc("game-client-edge", "statsd", 520, 90, .002, load=L, errs=[add(T, .11, 2)], rpsx=[mul(T, 1.15, 5)]); b.svc("leaderboard", "statsd", 110, 18, .0005, load=L, errs=[add(T, .97, .5)], rt="node", lat=[mul(T, .5, 1)])
b.svc("matchmaker", "statsd", 60, 45, .001, load=L, errs=[add(T, .34, 2)], lat=[mul(T, 2.2, 3)], rt="go"); b.svc("profile-api", "statsd", 190, 30, .001, load=L, rt="node"); b.svc("store-api", "statsd", 44, 70, .002, load=L, rpsx=[mul(T, 2.1, 3, 175, 20)], rt="node")
b.s("matchmaker", "matchmaker.queue.wait_s", 11, .1, L, fx=[mul(T, 5, 10)]); b.s("matchmaker", "matchmaker.queue.size", 420, .06, L, kind="i", fx=[mul(T, 4, 12)])
b.s("redis-ranks", "redis.ops", 2600, .05, L, fx=[mul(T, .12, 1)]); b.s("redis-ranks", "redis.keys", 91000, .003, kind="i"); b.s("redis-ranks", "redis.mem_mb", 1400, .004)
b.s("profile-mongo", "mongo.opcounters.query", 900, .06, L); b.s("profile-mongo", "mongo.opcounters.update", 200, .08, L); b.s("profile-mongo", "mongo.repl.lag_s", .3, .3)
b.s("session-alloc", "sessions.started", 120, 0, L, kind="p", fx=[mul(T, .63, 4)]); b.s("fleet", "fleet.ready", 60, .05, kind="i", fx=[add(T, 35, 20)]); b.s("fleet", "fleet.allocated", 840, .02, L, kind="i", fx=[mul(T, .8, 30)]); b.s("fleet", "fleet.node_count", 44, 0, kind="k", fx=[add(95, 6, 0)])
b.chat("leaderboard", 2, ["I GET /rank/{hex6} 200 {~9}ms season=2025-02", "I POST /score 202 {~7}ms season=2025-02", "D flush ranks batch={#20-300}"], 0, T, pods=3); b.chat("leaderboard", 5, ["E TypeError: Cannot read properties of undefined (reading 'id')\n    at currentSeason (/srv/leaderboard/dist/season.js:41:22)\n    at rankHandler (/srv/leaderboard/dist/routes/rank.js:17:20)\n    at Layer.handle (/srv/leaderboard/node_modules/express/lib/router/layer.js:95:5)", "E POST /score 500 {~3}ms"], T, pods=3)
b.chat("matchmaker", 2, "go"); b.chat("matchmaker", 2.5, ["W rating unavailable, fallback pool player={hex6}", "E leaderboard rank lookup: 500", "W match quality below threshold q=0.{#20-44}"], T); b.chat("profile-api", 2, "node"); b.chat("store-api", 1.4, "node"); b.chat("store-api", 2, ["I event storefront 'spring-bazaar' impression slot={#1-6}"], T)
b.chat("profile-mongo", .4, ["I WiredTiger checkpoint took {#100-900}ms", "I Connection accepted from {ip}"]); b.chat("session-alloc", .7, "go"); b.chat("game-client-edge", 1, "nginx")
b.log(28.2, "leaderboard", "I leaderboard 6.0.0 listening, seasons table loaded n=1 (2025-02)")
G = b.change(27.5, "deploy", "leaderboard", "leaderboard 6.0.0: seasons from table instead of calendar arithmetic", diff=D("leaderboard/src/season.ts", """
-export function currentSeason(now = new Date()): Season {
-  const y = now.getUTCFullYear(), m = now.getUTCMonth() + 1;
-  return { id: `${y}-${String(m).padStart(2, "0")}`, starts: Date.UTC(y, m - 1, 1), ends: Date.UTC(y, m, 1) };
-}
+import seasons from "./data/seasons.json";
+
+export function currentSeason(now = Date.now()): Season {
+  const s = seasons.find((x) => x.starts <= now && now < x.ends);
+  return { ...s!, id: s!.id };
+}""", 30) + D("leaderboard/src/data/seasons.json", """
+[
+  { "id": "2025-02", "starts": 1738368000000, "ends": 1740787200000 }
+]""", 0))
d1 = b.change(132, "deploy", "matchmaker", "matchmaker 3.19.2: widen rating band after 20s", diff=D("matchmaker/internal/band.go", "-\tband := 80 + int(wait.Seconds())*2\n+\tband := 80 + int(wait.Seconds())*2\n+\tif wait > 20*time.Second {\n+\t\tband += 60\n+\t}\n \treturn min(band, 400)", 18))
d2 = b.change(137, "config", "store-api", "store: schedule spring-bazaar event from 00:00 UTC", diff=D("liveops/events/2025-03.yaml", "+- id: spring-bazaar\n+  starts: 2025-03-01T00:00:00Z\n+  ends: 2025-03-14T00:00:00Z\n+  storefront: bazaar_v2\n+  push: true", 1))
b.bg(5, ["profile-api", "fleet", "session-alloc", "store-api"], -40, 130)
b.alert(T+2, "LeaderboardErrors", "critical", "leaderboard 5xx 97%", "errors/requests > 5%", service="leaderboard"); b.alert(T+7, "MatchmakingWait", "warning", "queue wait above 40s", "", service="matchmaker")
b.done("online game live-ops", "season table lacks the next month; fails at the month boundary", ["code", "data"], ["leaderboard"], G, [d1, d2], T, "the stack in season.js points at the table that 6.0.0 introduced with one season ending exactly at the onset, 00:00 UTC.")
