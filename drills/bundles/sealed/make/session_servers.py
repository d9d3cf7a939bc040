# N6 games: network loss in zone c hits every *-c instance; unrelated Mongo index build. Decoys.
from common import *
b = B("session_servers", 306, "2025-07-05T18:30:00", 70, 20, ids="g-{n}", order="series")
L = b.load(.2, 20); T, E = 31, 55
b.topo("edge>session-a,session-b,session-c;session-a>state-redis,profile;session-b>state-redis,profile;session-c>state-redis,profile;voice-a>edge;voice-c>edge;profile>profile-mongo;node-exporter>edge")
for z in "abc":
    bad = z == "c"
    fx = lambda f: [mul(T, f, 1, E, 3)] if bad else []
    b.svc(f"session-{z}", "statsd", 130, 34, .001, load=L, lat=fx(7), errs=[add(T, .13, 1, E, 3)] if bad else [], rpsx=[mul(T+3, .72, 6, E, 5)] if bad else [mul(T+4, 1.12, 6)], rt=None)
    b.s(f"session-{z}", "net.tcp.retrans_pct", .08, .3, fx=[add(T, 6.5, .7, E, 1)] if bad else []); b.s(f"session-{z}", "players.connected", 21000, .01, L, fx=[mul(T+1, .62, 8, E, 15)] if bad else [], kind="i")
for z in "ac":
    b.s(f"voice-{z}", "rtp.loss_pct", .3, .3, fx=[add(T, 8, .7, E, 1)] if z == "c" else []); b.s(f"voice-{z}", "jitter_ms", 6, .2, fx=[mul(T, 9, .7, E, 1)] if z == "c" else []); b.s(f"voice-{z}", "cpu.pct", 31, .06)
    b.s("node-exporter", f"probe_rtt_ms{{from=a,to={z if z != 'a' else 'b'}}}", .7, .1, fx=[mul(T, 22, .7, E, 1)] if z == "c" else []); b.s("node-exporter", f"probe_loss_pct{{from=a,to={z if z != 'a' else 'b'}}}", .01, .3, fx=[add(T, 6.8, .7, E, 1)] if z == "c" else [])
b.svc("edge", "statsd", 400, 45, .001, load=L, errs=[add(T, .042, 1, E, 3)], lat=[mul(T, 2.1, 1, E, 3)]); b.svc("profile", "statsd", 160, 22, .0005, load=L, lat=[mul(20, 1.25, 1, 44)]); b.s("state-redis", "redis.ops", 9000, .05, L); b.s("state-redis", "redis.clients", 410, .02, kind="i", fx=[mul(T+1, 1.2, 2, E, 4)]); b.s("profile-mongo", "mongo.index_build.pct", 0, 0, kind="k", fx=[lambda v, m: int(min(100, max(0, (m - 20) * 4.2))) if m < 45 else 0]); b.s("profile-mongo", "disk.util_pct", 17, .1, fx=[mul(20, 3.7, 1, 44)]); b.s("profile-mongo", "cpu.pct", 28, .08, fx=[mul(20, 1.8, 1, 44)])
for z in "abc": b.chat(f"session-{z}", 3, ["I match {hex6} tick={#30-60}hz players={#8-64}", "I player joined match={hex6}", "W player {hex6} idle kicked"])
b.chat("session-c", 9, ["W player {hex6} connection lost: timeout", "E state write to state-redis timed out 500ms (zone b)", "W rollback frames={#8-40} match={hex6}"], T, E); b.chat("voice-c", 4, ["W rtp loss {#5-12}% room={hex6}"], T, E); b.chat("voice-a", 1.5, ["I room {hex6} opened", "I room {hex6} closed"]); b.chat("edge", 4, "nginx"); b.chat("edge", 4, ["E upstream session-c: connection reset", "W health of session-c flapping: {2|3}/{4|5} probes"], T, E); b.chat("profile", 2, "go"); b.chat("state-redis", .6, "redis"); b.chat("profile-mongo", 1, ["I Index Build: inserted {#100000-900000} keys from external sorter", "I WiredTiger checkpoint took {#100-900}ms"], 20, 44); b.chat("node-exporter", .5, ["D probe mesh ok pairs={5|6}/6"], 0, T); b.chat("node-exporter", 2, ["W probe a->c loss={#5-9}% rtt={#11-19}ms", "W probe b->c loss={#5-9}% rtt={#11-19}ms", "D probe a->b loss=0% rtt=0.7ms"], T, E)
d1 = b.change(T-2.5, "deploy", "session-c", "session server 118.2, wave 3 (zone c)", diff=D("session/net/interest.cpp", """
 void InterestGrid::update(const Entity& e) {
-    const auto cell = cellOf(e.pos);
+    const auto cell = cellOf(e.pos + e.vel * kLookahead);
     if (cell != e.cell) {
         move(e, cell);
     }""", 64))
d1b = b.change(-14, "deploy", "session-a", "session server 118.2, wave 1 (zone a)", files=["session/net/interest.cpp"], diff=None)
d1c = b.change(12, "deploy", "session-b", "session server 118.2, wave 2 (zone b)", files=["session/net/interest.cpp"], diff=None)
d2 = b.change(19.5, "config", "profile-mongo", "profile-mongo: index on clan_id (background build)", diff=D("migrations/0081_clan_idx.js", "+db.profiles.createIndex({ clan_id: 1, last_seen: -1 }, { name: \"clan_last_seen\" });", 0))
b.bystanders([('chat-svc', 'node'), ('clan-svc', 'go'), ('replay-store', 'batch'), ('anti-cheat', 'py')], 'statsd', L, 'edge')
b.bg(5, ["profile", "edge", "voice-a", "state-redis"], -80, 60, avoid=[(T-4, T+4)])
b.alert(T+2, "PlayersDropping", "critical", "session-c lost 30% of its players", "", service="session-c"); b.alert(T+3, "EdgeErrors", "warning", "edge errors 4%", "", service="edge"); b.alert(24, "MongoDiskUtil", "info", "profile-mongo disk util 60%", "", service="profile-mongo", ends=46)
b.done("session servers", "packet loss of one availability zone; unrelated index build", ["infrastructure"], ["session-c", "voice-c", "node-exporter"], None, [d1, d1c, d2], T, "voice-c, which was not deployed, and the probe mesh to zone c lose packets at the same instant and recover without a rollback; the same session build is healthy in a and b.")
