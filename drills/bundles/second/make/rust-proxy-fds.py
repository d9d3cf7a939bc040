# Rust proxy: fd leak, no diff recorded; 2 h delay; one anomaly unrelated (tls cert rotation, certificate counters). Slope of fds begins at deploy.
from common import *
b = Bundle("rust-proxy-fds", 316, "2025-08-12T12:00:00Z", 5, 60, "edge-proxy", ["images", "api", "static", "websockets"])
DEP = 97; ON = 214
for i in (1, 2, 3):
    k = f"proxy-{i}"; off = (i - 1) * 9; lim = np.minimum(2100 + np.clip(b.m - DEP - i, 0, None) * (65536 - 2100) / (ON + off - DEP - i), 65536); r = ON + off; s = b.stp(r, 1)
    b.g(k, "process_open_fds", 0, add=lim, noise=.01, hi=65536, dec=0); b.k(k, "process_max_fds", 65536); b.c(k, "accept_errors_total", 0, add=130 * s, start=0); b.g(k, "proxy_active_connections", 3900, .04, 1 - .55 * s, dec=0); b.c(k, "proxy_requests_total", 900, mul=1 - .5 * s); b.g(k, "proxy_upstream_p99_ms", 140, .1); b.g(k, "proxy_rss_mib", 260, .02, 1 + .35 * b.ramp(DEP, ON), phi=.9); b.g(k, "tcp_close_wait", 20, .3, add=(lim - 2100) * .97, dec=0)
al = (b.stp(ON, 1) + b.stp(ON + 9, 1) + b.stp(ON + 18, 1)) / 3
b.g("lb", "HealthyHostCount", 3, 0, add=-np.round(al * 2), dec=0); b.g("lb", "ClientTLSNegotiationErrorCount", 3, .5, 1 + 4 * b.pulse(150, 171, 2), dec=0); b.g("lb", "TargetConnectionErrorCount", 0, add=700 * al, floor=.4, dec=0); b.svc("api-origin", "prom", 700, 30, 190, traffic=1 - .45 * al); b.svc("image-origin", "prom", 900, 20, 150, traffic=1 - .45 * al); b.svc("ws-hub", "statsd", 80, 12, 70, traffic=1 + .6 * al)
b.chat("proxy-1", "rust", 260); b.chat("proxy-2", "rust", 220); b.chat("proxy-3", "rust", 220); b.chat("api-origin", "go", 170); b.chat("ws-hub", "elixir", 90)
b.burst("proxy-1", "ERROR", "accept failed: Too many open files (os error 24)", ON, b.mins, 2.5); b.burst("proxy-2", "ERROR", "accept failed: Too many open files (os error 24)", ON + 9, b.mins, 2.5); b.burst("proxy-3", "ERROR", ["accept failed: Too many open files (os error 24)", "health probe to 10.4.2.19:8443 failed: Too many open files (os error 24)"], ON + 18, b.mins, 2.5); b.burst("lb", "warn", "certificate rotated on listener 443, sessions renegotiate", 150, 152, 1)
sha = b.change("5d10aa", "commit", 63, "proxy", "ruben", "Probe upstreams over TLS like real traffic", ["crates/upstream/src/probe.rs", "crates/upstream/src/pool.rs"], None); b.change("px-0.44", "deploy", DEP, "proxy", "nomad", "edge-proxy 0.44.0 on proxy-1..3", commit=sha)
b.change("px-cfg-18", "config", 149, "lb", "certbot", "renew edge certificate", ["lb/listeners.yaml"], None); b.change("px-cfg-19", "config", 186, "proxy", "ruben", "keepalive to origins 30s -> 60s", ["proxy/upstreams.toml"], diff("proxy/upstreams.toml", '''@@ -3,5 +3,5 @@
 [upstream.api]
-idle_timeout = "30s"
+idle_timeout = "60s"
 max_idle = 64
''')); b.change("c90b2", "commit", 120, "api-origin", "sia", "api: stream large lists", ["handlers/list.go"], diff("handlers/list.go", '''@@ -18,5 +18,8 @@ func List(w http.ResponseWriter, r *http.Request) {
-	_ = json.NewEncoder(w).Encode(items)
+	enc := json.NewEncoder(w)
+	for _, it := range items {
+		_ = enc.Encode(it)
+	}
 }
''')); b.change("api-311", "deploy", 212, "api-origin", "nomad", "api-origin 3.11", commit=b.chg[-1][1]["commit"]); b.change("ws-9", "flag", 205, "ws-hub", "sia", "websocket fallback polling: 10%")
b.alert("ApiTraffic", "api-origin", 219, "warning", "request rate dropped by 25%"); b.alert("LbTargetErrors", "lb", 217, "critical", "TargetConnectionErrorCount > 100", label="elb")
b.edges = [["lb", "proxy-1"], ["lb", "proxy-2"], ["lb", "proxy-3"]] + [[f"proxy-{i}", o] for i in (1, 2, 3) for o in ("api-origin", "image-origin", "ws-hub")]
b.expect("code_fd_leak", ["code"], ["proxy", "proxy-1", "proxy-2", "proxy-3"], "5d10aa", ["px-cfg-19", "api-311", "c90b2", "ws-9", "px-cfg-18"], ON, [DEP, ON + 4], change_also=["px-0.44"], why="Open descriptors and CLOSE_WAIT climb on all three proxies from 13:37, the minute of 0.44.0, and reach the limit at 15:34; the keepalive change came at 15:06 with no bend of the slope.", delayed=True)
b.write(opened=218, logs=False)
