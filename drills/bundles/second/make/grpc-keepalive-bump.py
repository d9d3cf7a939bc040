# Go gRPC: grouped bump; the client's keepalive pings are now sent without streams -> server GOAWAY too_many_pings. Alarm at gateway. Logs only partly; metrics gap. go.mod diff. Decoys: mesh mTLS rotation, server config, GC.
from common import *
b = Bundle("grpc-keepalive-bump", 330, "2025-05-20T07:00:00Z", 2, 20, "fleet-tracking", ["vehicles", "positions", "trips", "geofences"])
ON = 44; s = b.stp(ON, 3); beat = s * (.55 + .45 * (np.sin(2 * np.pi * b.m / 5) > 0))
b.svc("fleet-gw", "prom", 210, 18, 140, slow=1 + 4 * beat, slow50=1 + .3 * s, fail=.08 * beat); b.svc("position-svc", "prom", 190, 6, 50, slow=1 + .3 * beat, gap=[(70, 76)]); b.svc("trip-svc", "prom", 60, 15, 120, slow=1 + 3 * beat, fail=.05 * beat); b.svc("geofence", "prom", 80, 10, 80); b.c("trip-svc", "grpc_client_connections_opened_total", .05, add=1.9 * s); b.c("fleet-gw", "grpc_client_connections_opened_total", .08, add=.02 * s); b.c("position-svc", 'grpc_server_goaway_sent_total', .002, add=2 * s, start=4); b.g("position-svc", "grpc_server_streams_active", 410, .05, 1 - .2 * beat, dec=0); b.g("kafka-pos", "consumer_lag", 700, .3, 1 + 3 * b.pulse(29, 36, 1), dec=0); b.g("redis-geo", "redis_ops", 4200, .05); b.g("position-svc", "go_gc_pause_p99_ms", .6, .3); b.g("mesh-ca", "certs_issued", .1, 1, add=24 * b.pulse(41, 43, .2)); b.svc("dispatch-web", "statsd", 40, 80, 450, slow=1 + 1.8 * beat, fail=.05 * beat)
b.chat("fleet-gw", "go", 300); b.chat("position-svc", "go", 240); b.chat("trip-svc", "go", 240); b.chat("geofence", "go", 120); b.chat("dispatch-web", "node", 150)
b.burst("trip-svc", "error", ["rpc error: code = Unavailable desc = closing transport due to: connection error: desc = \"error reading from server: EOF\", received prior goaway: code: ENHANCE_YOUR_CALM, debug data: \"too_many_pings\"", "retrying LastPosition vehicle={id}: transport is closing"], ON, b.mins, 4); b.burst("position-svc", "info", "server transport closed: client {ip} exceeded ping strikes peer=trip-svc", ON, b.mins, 2); b.burst("fleet-gw", "warn", "ActiveTrips 503 from trip-svc, served stale", ON + 1, b.mins, 3); b.burst("mesh-ca", "info", "issued workload certificate spiffe://fleet/{word} ttl=24h", 41, 43, 6)
sha = b.change("tr-930", "commit", 18, "trip-svc", "renovate", "build(deps): bump the go-minor group with 5 updates", ["go.mod", "go.sum"], diff("go.mod", '''@@ -5,13 +5,13 @@ require (
-	github.com/jackc/pgx/v5 v5.5.4
+	github.com/jackc/pgx/v5 v5.6.0
-	github.com/prometheus/client_golang v1.19.0
+	github.com/prometheus/client_golang v1.19.1
-	go.uber.org/zap v1.26.0
+	go.uber.org/zap v1.27.0
-	golang.org/x/sync v0.6.0
+	golang.org/x/sync v0.7.0
-	internal/rpckit v0.14.2
+	internal/rpckit v0.15.0
 	google.golang.org/grpc v1.63.2
''')); b.change("tr-rel-25", "deploy", 43, "trip-svc", "argo", "trip-svc 2.5", commit=sha)
b.change("ps-rel-71", "deploy", 42.5, "position-svc", "argo", "position-svc 7.1: max concurrent streams 500", ["cmd/server/main.go"], diff("cmd/server/main.go", '''@@ -33,4 +33,5 @@ func main() {
 	s := grpc.NewServer(
+		grpc.MaxConcurrentStreams(500),
 		grpc.KeepaliveEnforcementPolicy(policy),
''')); b.change("mesh-rot", "config", 41, "mesh-ca", "platform", "rotate intermediate of the mesh, re-issue workload certificates", ["mesh/ca.yaml"], None); b.change("fl-live", "flag", 38, "dispatch-web", "product", "live map refresh 5 s -> 3 s for 2 depots"); b.change("gw-rel-40", "deploy", 36, "fleet-gw", "argo", "fleet-gw 4.0: serve stale trips for 30 s", ["gw/trips.go"], None); b.change("geo-5", "commit", 51, "geofence", "tomke", "geofence: skip empty polygons", ["geofence/load.go"], None)
b.alert("GatewayErrors", "fleet-gw", 49, "critical", "fleet-gw 5xx above 3%"); b.alert("DispatchErrors", "dispatch-web", 52, "warning", "dispatch-web errors")
b.edges = [["dispatch-web", "fleet-gw"], ["fleet-gw", "trip-svc"], ["fleet-gw", "position-svc"], ["trip-svc", "position-svc"], ["trip-svc", "kafka-pos"], ["geofence", "redis-geo"], ["position-svc", "redis-geo"], ["position-svc", "kafka-pos"], ["fleet-gw", "geofence"]]
b.expect("dependency_bump", ["dependency", "code"], ["trip-svc"], "tr-930", ["ps-rel-71", "mesh-rot", "fl-live", "gw-rel-40", "geo-5"], ON, [ON - 1, ON + 3], change_also=["tr-rel-25"], why="Only trip-svc's connections are closed with too_many_pings; fleet-gw, calling the same position-svc 7.1, keeps its own; trip-svc 2.5 carries rpckit 0.15; a stream limit or a certificate would not give ping strikes.")
b.write(opened=50)
