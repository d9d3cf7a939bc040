# PHP: weekly composer update; redis client 2->3 changed default of persistent connections -> connection churn, ephemeral ports. Diff is the lock file. Decoys: redis config, deploy of cart code.
from common import *
b = Bundle("composer-redis-client", 329, "2025-04-02T12:00:00Z", 3, 30, "ticketing-php", ["events", "seats", "baskets", "holds"])
ON = 82; s = b.stp(ON, 1.5); d = b.day(.2, 130, 500); e = b.stp(ON + 7, 4)
b.svc("ticket-web", "statsd", 160, 60, 360, traffic=d, slow=1 + 3.5 * s, slow50=1 + .9 * s, fail=.12 * e); b.g("ticket-web", "ticket_web.sockets.time_wait", 900, .08, d * (1 + 28 * b.stp(ON, 2)), hi=28200, dec=0); b.g("ticket-web", "ticket_web.cpu.system", 7, .1, d * (1 + 1.8 * s)); b.svc("seat-svc", "statsd", 45, 40, 250, traffic=d); b.svc("admin-web", "statsd", 6, 90, 500, traffic=d); b.g("redis-session", "redis_connected_clients", 320, .03, 1 - .5 * s, dec=0); b.c("redis-session", "redis_connections_received", 3, add=900 * s); b.g("redis-session", "redis_commands_per_s", 7100, .05, d * (1 + .13 * s)); b.g("redis-session", "redis_cpu", .24, .08, d * (1 + 1.2 * s)); b.k("redis-session", "redis_rejected_connections", 0); b.g("redis-session", "redis_used_memory_mb", 2600, .01, phi=.9); b.g("redis-session", "redis_latency_us", 180, .1, 1 + .2 * s); b.g("queue-worker", "queue_worker.jobs", 300, .1, d, dec=0); b.g("queue-worker", "queue_worker.failed", .3, 1, add=8 * e, dec=0); b.g("mysql-tickets", "Threads_connected", 95, .05, dec=0); b.g("mysql-tickets", "Slow_queries_rate", .2, .6, 1 + 6 * b.pulse(51, 60, 1)); b.svc("edge-nginx", "cw", 240, 70, 400, traffic=d, slow=1 + 2 * s, fail=.08 * e)
b.chat("ticket-web", "laravel", 380); b.chat("seat-svc", "go", 130); b.chat("edge-nginx", "nginx", 280); b.chat("redis-session", "redis", 40); b.chat("queue-worker", "laravel", 110)
b.burst("ticket-web", "error", ["Connection refused or address not available: Cannot assign requested address [tcp://redis-session:6379] {\"exception\":\"ConnectionException(code: 99) at vendor/rediscli/client/src/Connection/StreamConnection.php:128\"}", "session store unavailable, visitor {hex} sees error page"], ON + 7, b.mins, 5); b.burst("edge-nginx", "error", "upstream prematurely closed connection while reading response header, upstream: ticket-web", ON + 8, b.mins, 2); b.burst("queue-worker", "error", "Cannot assign requested address [tcp://redis-session:6379]", ON + 9, b.mins, .8)
sha = b.change("tk-1190", "commit", 50, "ticket-web", "renovate", "composer: weekly lock file maintenance", ["composer.lock"], diff("composer.lock", '''@@ -1204,12 +1204,12 @@
             "name": "monolog/monolog",
-            "version": "3.5.0",
+            "version": "3.6.0",
@@ -2210,12 +2210,12 @@
             "name": "rediscli/client",
-            "version": "v2.9.4",
+            "version": "v3.0.1",
             "source": {
                 "type": "git",
@@ -3301,6 +3301,6 @@
             "name": "symfony/mailer",
-            "version": "v7.0.4",
+            "version": "v7.0.6",
''')); b.change("tk-rel-330", "deploy", 81, "ticket-web", "deployer", "ticket-web r330", commit=sha)
b.change("tk-1194", "commit", 60, "seat-svc", "henk", "seats: hold keys expire after 8 min instead of 10", ["seat/hold.go"], diff("seat/hold.go", '''@@ -6,3 +6,3 @@ const (
-	holdTTL = 10 * time.Minute
+	holdTTL = 8 * time.Minute
''')); b.change("seat-rel-41", "deploy", 80, "seat-svc", "deployer", "seat-svc r41", commit=b.chg[-1][1]["commit"]); b.change("rd-cfg-6", "config", 81.6, "redis-session", "infra", "redis-session: maxclients 2000 -> 4000, timeout 0 -> 300", ["redis/session.conf"], diff("redis/session.conf", '''@@ -18,4 +18,4 @@
-maxclients 2000
-timeout 0
+maxclients 4000
+timeout 300
''')); b.change("fl-queue", "flag", 77, "ticket-web", "sales", "waiting room for concert 4471: off"); b.change("adm-9", "deploy", 95, "admin-web", "deployer", "admin-web r9")
b.alert("TicketWebErrors", "ticket-web", 93, "critical", "5xx above 5%"); b.alert("EdgeLatency", "edge-nginx", 88, "warning", "TargetResponseTime above 0.2 s")
b.edges = [["edge-nginx", "ticket-web"], ["ticket-web", "redis-session"], ["ticket-web", "seat-svc"], ["ticket-web", "mysql-tickets"], ["seat-svc", "redis-session"], ["queue-worker", "redis-session"], ["admin-web", "mysql-tickets"]]
b.expect("dependency_bump", ["dependency", "code"], ["ticket-web"], "tk-1190", ["seat-rel-41", "tk-1194", "rd-cfg-6", "fl-queue", "adm-9"], ON, [ON - 1, ON + 8], change_also=["tk-rel-330"], why="New connections to redis jump from 3 to 900 a second from r330 on with the same traffic, TIME_WAIT fills the port range, errors come from vendor/rediscli (2.9 -> 3.0 in the lock file); the redis timeout of 300 s cannot open connections and seat-svc on the same redis is fine.")
b.write(opened=94)
