# NTP skew on one Kubernetes node: tokens 'not yet valid' only for pods on node-14. Decoy: secret rotation (signing key) 25 min before, auth deploy. No topology.
from common import *
b = Bundle("node-clock-skew", 304, "2025-09-03T05:30:00Z", 3, 30, "identity")
ON = 74
for i, nd in ((1, "node-09"), (2, "node-11"), (3, "node-14"), (4, "node-17")):
    b.g(nd, "node_timex_offset_seconds", 0, add=.0008 if nd != "node-14" else .0008 + 11.5 * b.ramp(ON - 12, 170), floor=.0002, dec=4, lo=-1); b.k(nd, "node_timex_sync_status", 1) if nd != "node-14" else b.put(nd, "node_timex_sync_status", 1 - b.stp(58)); b.g(nd, "node_load1", 5, .15, b.day(.15, 200)); b.g(nd, "node_memory_available_gib", 41, .02, phi=.9)
bad = .24 * b.ramp(ON, ON + 25)
b.svc("token-issuer", "prom", 90, 9, 60, traffic=b.day(.25, 260)); b.g("token-issuer", "tokens_issued_rate", 84, .06, b.day(.25, 260))
b.svc("edge-gateway", "prom", 420, 25, 170, traffic=b.day(.25, 260), slow=1 + .3 * b.stp(ON, 9)); b.c("edge-gateway", 'http_requests_total{code="401"}', 2.1, add=420 * bad)
b.svc("accounts-api", "micrometer", 150, 18, 120, traffic=b.day(.25, 260)); b.c("accounts-api", "jwt_rejected_total", .4, add=150 * bad); b.svc("billing-api", "micrometer", 60, 30, 190, traffic=b.day(.25, 260)); b.c("billing-api", "jwt_rejected_total", .2, add=60 * bad); b.svc("mobile-bff", "statsd", 200, 40, 280, traffic=b.day(.25, 260), fail=bad * .5)
b.g("vault", "vault_core_handle_request_ms", 6, .2, 1 + 3 * b.pulse(48, 51)); b.k("vault", "vault_sealed", 0)
b.chat("token-issuer", "go", 220); b.chat("accounts-api", "spring", 260); b.chat("billing-api", "spring", 160); b.chat("mobile-bff", "node", 260); b.chat("vault", "go", 40)
b.log("token-issuer", 49, "info", "signing key reloaded kid=2025-09b previous kid=2025-08a kept for 72h"); b.burst("accounts-api", "INFO", "JWKS refreshed, 2 keys: 2025-08a, 2025-09b", 49.2, 53, 1.5)
for c, n in (("accounts-api", 430), ("billing-api", 170)):
    for _ in range(n):
        t = ON + (b.mins - ON) * b.r.random() ** .6; off = int(11.5 * min(1, (t - ON + 12) / (170 - ON + 12)) + .5); kid = "2025-09b" if b.r.random() < .8 or t > 130 else "2025-08a"
        b.log(c, t, "WARN", b.r.choice([f"Rejected token: iat in the future by {off}s kid={kid} iss-pod=token-issuer-7c9-q4x8", f"JwtValidationException: Jwt used before {b.ts(t + off / 60, False)} (nbf), kid={kid} iss-pod=token-issuer-7c9-q4x8"]), logger="o.s.s.oauth2.jwt")
b.burst("mobile-bff", "warn", "401 from accounts-api, re-login user={id}", ON + 1, b.mins, 4, grow=True)
b.log("node-14", 57.6, "warning", "chronyd[811]: Can't synchronise: no selectable sources"); b.log("node-14", 57.9, "warning", "chronyd[811]: Source 10.0.0.123 offline"); b.burst("node-14", "info", "kubelet: pod token-issuer-7c9-q4x8 status Running", 0, b.mins, .1); b.burst("node-09", "info", "kubelet: pod token-issuer-7c9-m2bb status Running", 0, b.mins, .1); b.burst("node-17", "info", "chronyd[790]: Selected source 10.0.0.124", 0, b.mins, .03)
b.change("rot-signing-0903", "config", 48, "token-issuer", "secrets-operator", "rotate signing key 2025-08a -> 2025-09b", ["vault/identity/signing"], None)
c = b.change("e7", "commit", 40, "token-issuer", "fenna", "issuer: set nbf explicitly", ["issuer/claims.go"], diff("issuer/claims.go", '''@@ -22,6 +22,7 @@ func claims(sub string, now time.Time) jwt.MapClaims {
 		"sub": sub,
 		"iat": now.Unix(),
+		"nbf": now.Add(-2 * time.Second).Unix(),
 		"exp": now.Add(15 * time.Minute).Unix(),
'''))
b.change("dep-issuer-311", "deploy", 61, "token-issuer", "flux", "token-issuer 3.1.1", commit=c); b.change("dep-bff-88", "deploy", 73, "mobile-bff", "flux", "mobile-bff 88 (session keep-alive)", ["src/session.ts"], diff("src/session.ts", '''@@ -12,3 +12,3 @@
-export const REFRESH_BEFORE_S = 30;
+export const REFRESH_BEFORE_S = 60;
'''))
b.change("cfg-gw-12", "config", 15, "edge-gateway", "arno", "gateway: forward x-request-start", ["envoy/edge.yaml"], None); b.change("dep-bill-40", "deploy", 100, "billing-api", "flux", "billing-api 4.0.2")
b.alert("UnauthorizedRatioHigh", "edge-gateway", 84, "critical", "401 ratio above 5%"); b.alert("LoginLoop", "mobile-bff", 90, "warning", "re-logins per minute x4")
b.expect("infrastructure", ["infrastructure"], ["node-14", "token-issuer"], None, ["rot-signing-0903", "e7", "dep-issuer-311", "dep-bff-88"], ON, [57, ON + 8], why="Chrony on node-14 loses its source at 06:27 and the offset grows; every rejected token, with old or new kid, is from the issuer pod on that node while the other issuer pods on the same version are fine.")
b.write(opened=86, topology=False)
