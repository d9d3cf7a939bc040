# D2 games: node 18 -> 20 base image, keep-alive agent on by default, LB closes idle at 5 s -> ECONNRESET. Logs and spans only.
from common import *
b = B("game_lobby", 208, "2025-09-18T17:20:00", 90, 60, ids="pipe-{n}")
T = 41
b.topo("lobby-edge>lobby-api;lobby-api>inventory-lb,friends,party;inventory-lb>inventory;inventory>inv-mongo;party>redis-party;telemetry>kafka-t")
b.chat("lobby-api", 5, ["I GET /lobby 200 {~60}ms", "I GET /inventory 200 {~45}ms", "I POST /party/invite 201 {~30}ms", "W client version 4.{#1-3} outdated"], pods=4); b.chat("lobby-api", 4.5, ["E GET /inventory 502 Error: socket hang up\n    at TLSSocket.socketOnEnd (node:_http_client:524:23)\n    at TLSSocket.emit (node:events:519:28) {\n  code: 'ECONNRESET', reusedSocket: true }", "E Error: read ECONNRESET\n    at TLSWrap.onStreamRead (node:internal/stream_base_commons:218:20) { code: 'ECONNRESET', reusedSocket: true, host: 'inventory-lb' }"], T, pods=4)
b.chat("inventory-lb", 2.5, ["I {ip} \"GET /v2/items/{hex6} HTTP/1.1\" 200 rt=0.0{#10-60} conn_reqs=1"], 0, T); b.chat("inventory-lb", 2.5, ["I {ip} \"GET /v2/items/{hex6} HTTP/1.1\" 200 rt=0.0{#10-60} conn_reqs={#1-9}", "I closed idle client connection {ip} after keepalive_timeout 5s"], T, w=[3, 2]); b.chat("inventory", 2.5, "go", pods=3); b.chat("friends", 2, "go"); b.chat("party", 1.5, "node"); b.chat("inv-mongo", .6, ["I WiredTiger checkpoint took {#100-900}ms", "I Slow query: items.find {~140}ms"]); b.chat("lobby-edge", 3, "nginx"); b.chat("lobby-edge", 2, ["W upstream 502 path=/inventory client={ip}"], T); b.chat("telemetry", 1, ["I flushed {#200-900} events"]); b.chat("telemetry", 6, ["W kafka produce retry partition={#0-11}"], 28, 34)
b.log(T-.7, "lobby-api", "I lobby-api 7.12.4 starting node=v20.11.1"); b.log(3, "lobby-api", "I heartbeat build=7.12.3 node=v18.19.0"); b.log(T-.2, "inventory", "I inventory 2.8.0 starting"); b.log(T+.3, "lobby-api", "I rollout complete 4/4 build=7.12.4")
G = b.change(T-2, "deploy", "lobby-api", "lobby-api 7.12.4: base image refresh", author="deps-bot", diff=D("lobby-api/Dockerfile", """
-FROM node:18.19-alpine AS build
+FROM node:20.11-alpine AS build
 WORKDIR /app
 COPY package*.json ./
 RUN npm ci --omit=dev
-FROM node:18.19-alpine
+FROM node:20.11-alpine
 COPY --from=build /app /app""", 1) + D("lobby-api/package.json", '   "engines": {\n-    "node": ">=18 <19"\n+    "node": ">=20 <21"\n   },', 8))
d1 = b.change(T-.6, "deploy", "inventory", "inventory 2.8.0: item expiry in list response", diff=D("inventory/api/list.go", " \tout := make([]Item, 0, len(rows))\n \tfor _, r := range rows {\n-\t\tout = append(out, toItem(r))\n+\t\tit := toItem(r)\n+\t\tit.ExpiresAt = r.Expiry\n+\t\tout = append(out, it)\n \t}", 52))
d2 = b.change(T-11, "config", "inventory-lb", "inventory-lb: add third backend, keep timeouts", diff=D("haproxy/inventory.cfg", " backend inventory\n   timeout http-keep-alive 5s\n   server inv1 inventory-1:8080 check\n   server inv2 inventory-2:8080 check\n+  server inv3 inventory-3:8080 check", 30))
d3 = b.change(26.8, "deploy", "telemetry", "telemetry 1.4.9", files=["go.sum"], diff=None)
b.bg(5, ["friends", "party", "lobby-edge"], -90, 80)
b.alert(T+5, "LobbyInventory502", "critical", "inventory page 502 ratio 9%", "from lobby-edge logs", service="lobby-api"); b.alert(30, "TelemetryRetries", "info", "telemetry produce retries", "", service="telemetry", ends=36)
tr = N("lobby-edge", "GET /lobby", 5, [N("lobby-api", "lobby", 22, [N("friends", "list", 12), N("party", "state", 8, [N("redis-party", "HGETALL", 1)])]) ])
inv = lambda p: N("lobby-edge", "GET /inventory", 5, [N("lobby-api", "inventory", 8, [N("inventory-lb", "proxy", 1, [N("inventory", "list", 14, [N("inv-mongo", "find", 9)])], prob=p)], err=(lambda m: .11 if m > T else .002))])
b.traces(90, tr); b.traces(130, inv(1))
b.done("game lobby", "runtime bump turns on keep-alive; idle timeout of the balancer resets reused sockets", ["dependency", "code"], ["lobby-api"], G, [d1, d2, d3], T, "all failures are ECONNRESET on reusedSocket and start with the node 20 pods; the balancer logs closing idle keep-alive connections that never existed before (conn_reqs=1).", no=("metrics",))
