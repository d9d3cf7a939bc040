# Object store throttled by a partner's bulk import. 
from common import *
b = Bundle("minio-partner-import", 303, "2025-01-22T11:00:00Z", 5, 60, "media-platform", ["assets", "thumbs", "renditions", "manifests", "uploads"])
ON = 141; s = b.stp(ON, 9) * (1 - .9 * b.stp(255, 6))
b.svc("partner-gw", "dd", 35, 40, 260, traffic=1 + 7.5 * s, slow=1 + 3 * b.stp(ON + 12, 5) * s, fail=.12 * b.stp(ON + 14, 5) * s)
b.g("partner-gw", "partner_gw.upload.bytes_in", 6.2e6, .15, 1 + 10 * s, dec=-3); b.g("partner-gw", "partner_gw.active_keys", 31, .06, dec=0)
b.svc("upload-svc", "prom", 45, 60, 420, traffic=1 + 6 * s, slow=1 + 7 * s * b.stp(ON + 10, 5), fail=.15 * b.stp(ON + 12, 6) * s, cpum=1 + .3 * s)
b.svc("rendition-worker", "prom", 18, 300, 1900, slow=1 + 3 * s * b.stp(ON + 10, 5), fail=.28 * b.stp(ON + 14, 6) * s); b.g("rendition-worker", "queue_depth", 40, .4, add=5200 * b.ramp(ON + 8, 240) * (1 - .3 * b.ramp(260, 300)), dec=0)
b.svc("media-web", "prom", 130, 30, 210, slow=1 + 11 * s * b.stp(ON + 13, 5), fail=.21 * b.stp(ON + 14, 6) * s)
for k in ("minio-1", "minio-2", "minio-3"):
    b.g(k, "minio_s3_requests_waiting_total", 2, .6, add=190 * s * b.stp(ON + 8, 6), dec=0); b.c(k, "minio_s3_requests_total", 190, mul=1 + 1.7 * s); b.c(k, "minio_s3_requests_rejected_throttle_total", 0, add=24 * b.stp(ON + 11, 5) * s, start=12)
    b.g(k, "minio_node_drive_latency_us", 900, .2, 1 + 9 * s); b.g(k, "node_disk_io_time_ratio", .31, .12, 1 + 2.1 * s, hi=1); b.k(k, "minio_node_drive_offline_total", 0)
b.g("minio-2", "minio_heal_objects_healed", 14, .5, add=380 * b.pulse(60, 95, 2), dec=0)
b.g("pg-meta", "pg_stat_activity_count", 60, .08, 1 + .6 * s, dec=0); b.c("pg-meta", "pg_xact_commit", 260, mul=1 + 1.5 * s); b.g("pg-meta", "pg_replication_lag_s", .2, .6)
b.chat("upload-svc", "go", 260); b.chat("media-web", "nginx", 320); b.chat("minio-1", "minio", 240); b.chat("rendition-worker", "go", 160); b.chat("pg-meta", "postgres", 60)
b.burst("partner-gw", "info", ["PUT /partner/assets/{id} 201 key=pk_{d}{d} bytes={n}00", "PUT /partner/assets/{id} 201 key=pk_{d} bytes={n}0"], 0, b.mins, 2); b.burst("partner-gw", "info", "PUT /partner/assets/{id} 201 key=pk_0417 bytes={n}0000 ua=bulk-sync/2.1", ON, 256, 6)
b.burst("upload-svc", "error", ["put object: SlowDown: Resource requested is unreadable, please reduce your request rate bucket=uploads", "put object: context deadline exceeded bucket=uploads key={hex}"], ON + 11, 258, 4)
b.burst("media-web", "error", ["origin fetch failed: 503 SlowDown /thumbs/{id}.webp", "origin fetch timeout /renditions/{id}/index.m3u8"], ON + 13, 258, 6)
b.burst("rendition-worker", "error", "fetch source: SlowDown: Please reduce your request rate (attempt {d})", ON + 14, 258, 3)
c = b.change("a1-774", "commit", 110, "media-web", "wim", "Read thumbs from the primary bucket again", ["web/origin.go"], diff("web/origin.go", '''@@ -33,7 +33,7 @@ func (o *Origin) bucketFor(kind string) string {
 	switch kind {
 	case "thumbs":
-		return o.cfg.ThumbsReplica
+		return o.cfg.Thumbs
 	default:
'''))
b.change("a1-dep-90", "deploy", 133, "media-web", "argo", "media-web:2025.01.22-2", commit=c)
b.change("a1-dep-91", "deploy", 140, "upload-svc", "argo", "upload-svc:2025.01.22-1", ["upload/parts.go"], diff("upload/parts.go", '''@@ -20,7 +20,7 @@ const (
-	partSize = 8 << 20
+	partSize = 16 << 20
 	maxParts = 10000
'''))
b.change("tf-311", "config", 52, "minio-1", "infra", "minio: requests_max auto -> 1600 per node", ["helm/minio/values.yaml"], diff("helm/minio/values.yaml", '''@@ -8,4 +8,4 @@ environment:
-  MINIO_API_REQUESTS_MAX: "0"
+  MINIO_API_REQUESTS_MAX: "1600"
'''))
b.change("a1-776", "commit", 171, "rendition-worker", "lotte", "retry source fetch with jitter", ["worker/fetch.go"], None); b.change("flg-avif", "flag", 128, "media-web", "wim", "avif thumbs 20% -> 40%")
b.alert("MediaOriginErrors", "media-web", 158, "critical", "5xx from media-web above 5%"); b.alert("RenditionBacklog", "rendition-worker", 166, "warning", "queue_depth > 1000", label="job"); b.alert("MinioThrottling", "minio-2", 161, "warning", "requests rejected", label="instance")
b.edges = [["partner-gw", "upload-svc"], ["upload-svc", "minio-1"], ["upload-svc", "minio-2"], ["upload-svc", "minio-3"], ["media-web", "minio-1"], ["media-web", "minio-2"], ["media-web", "minio-3"], ["rendition-worker", "minio-1"], ["upload-svc", "pg-meta"]]
b.expect("traffic_surge", ["traffic", "capacity"], ["partner-gw", "upload-svc", "minio-1", "minio-2", "minio-3"], None, ["a1-774", "a1-dep-90", "a1-dep-91", "tf-311", "flg-avif", "a1-776"], ON, [ON - 2, ON + 14], why="One partner key (pk_0417, bulk-sync) multiplies uploads by eight from 13:21, drives saturate and throttle ten minutes later and all recovers when it stops at 15:15 with every change still in place.")
b.write(opened=160)
