# Cloud provider auto-upgrades GPU node pool; new driver fails with XID / NCCL. Not in changes, seen in node events. Embedding service slow on CPU fallback. Decoy: embedding index rebuild and torch settings deploy.
from common import *
b = Bundle("gpu-driver-node-upgrade", 310, "2025-12-02T01:00:00Z", 5, 60, "semantic-search", ["docs", "queries", "vectors", "passages"])
ON = 171; s = .0 * b.m + .34 * b.stp(ON) + .33 * b.stp(ON + 19) + .3 * b.stp(ON + 41)
for i, t in ((1, ON), (2, ON + 19), (3, ON + 41)):
    k = f"gpu-node-{i}"; b.g(k, "DCGM_FI_DEV_GPU_UTIL", 54, .08, 1 - .97 * b.stp(t), hi=100); b.g(k, "DCGM_FI_DEV_FB_USED_MiB", 15200, .01, 1 - .98 * b.stp(t), phi=.9); b.c(k, "DCGM_FI_DEV_XID_ERRORS", 0, add=.05 * b.stp(t + 5), start=0); b.g(k, "node_cpu_utilisation", .3, .07, 1 + 2.1 * b.stp(t + 6, 2), hi=1, gap=[(t, t + 5)]); b.put(k, "nvidia_driver_version_major", 535 + 35 * b.stp(t + 5), gap=[(t, t + 5)], dec=0)
b.svc("embed-svc", "prom", 70, 14, 70, slow=1 + 30 * s, slow50=1 + 24 * s, fail=.1 * b.stp(ON + 20, 6), mem=3000); b.g("embed-svc", "embed_device_cpu_ratio", 0, add=s, floor=.0, dec=2); b.g("embed-svc", "embed_queue", 2, .5, add=900 * s * b.stp(ON + 6, 5), dec=0)
b.svc("search-api", "prom", 120, 60, 310, slow=1 + 7 * s, fail=.12 * b.stp(ON + 22, 6)); b.svc("vector-db", "prom", 120, 8, 50, mem=9000); b.g("vector-db", "segments", 210, .02, 1 + .5 * b.ramp(80, 130), dec=0); b.g("vector-db", "index_build_cpu", .1, .3, add=2.5 * b.pulse(80, 134, 3)); b.svc("indexer", "statsd", 14, 120, 800, slow=1 + 4 * s); b.g("indexer", "indexer.backlog", 120, .3, add=14000 * b.ramp(ON + 3, 300), dec=0); b.svc("rerank-svc", "prom", 60, 30, 140); b.k("search-api", "recall_canary", 1)
b.chat("embed-svc", "ml", 260); b.chat("search-api", "go", 240); b.chat("vector-db", "rust", 140); b.chat("indexer", "go", 110); b.chat("k8s-events", "k8s", 130)
for i, t in ((1, ON), (2, ON + 19), (3, ON + 41)):
    b.log("k8s-events", t - 1, "Normal", f"gpu-node-{i}: Cordon: node pool upgrade (managed, maintenance window) image g-570.1 -> g-570.2"); b.log("k8s-events", t, "Normal", f"gpu-node-{i}: DrainNode"); b.log("k8s-events", t + 5, "Normal", f"gpu-node-{i}: NodeReady"); b.burst(f"gpu-node-{i}", "error", "NVRM: Xid (PCI:0000:00:1e): 119, Timeout after 6s of waiting for RPC response from GPU0 GSP!", t + 5, b.mins, .12)
    b.burst("embed-svc", "WARNING", f"CUDA init failed on gpu-node-{i} (unknown error 999), falling back to cpu", t + 5.5, t + 12, 1)
b.burst("search-api", "error", ["embed: context deadline exceeded after 800ms", "query failed: embedding unavailable q={hex}"], ON + 8, b.mins, 3, grow=True); b.burst("indexer", "warn", "embed batch took {n}0 ms, backing off", ON + 6, b.mins, 2)
b.change("ix-rebuild-44", "config", 79, "vector-db", "lumi", "rebuild passages index with ef_construction 256", ["index/passages.yaml"], diff("index/passages.yaml", '''@@ -4,6 +4,6 @@ hnsw:
   m: 24
-  ef_construction: 128
+  ef_construction: 256
   ef_search: 96
'''))
c = b.change("em-901", "commit", 120, "embed-svc", "dag", "Pad batches to multiples of 8, half precision on by default", ["embed/runner.py"], diff("embed/runner.py", '''@@ -27,9 +27,11 @@ class Runner:
-        batch = tok(texts, padding=True, return_tensors="pt").to(self.device)
-        with torch.no_grad():
+        batch = tok(texts, padding=True, pad_to_multiple_of=8, return_tensors="pt").to(self.device)
+        with torch.inference_mode(), torch.autocast(self.device.type, dtype=torch.float16):
             out = self.model(**batch)
'''))
b.change("em-rel-17", "deploy", 144, "embed-svc", "argo", "embed-svc 17", commit=c); b.change("se-rel-209", "deploy", 169, "search-api", "argo", "search-api 209: query cache key with locale", ["search/cache.go"], None); b.change("quota-ml", "config", 158, "embed-svc", "infra", "namespace ml: limits.cpu 64 -> 72", ["terraform/ml/quota.tf"], diff("terraform/ml/quota.tf", '''@@ -6,5 +6,5 @@ resource "kubernetes_resource_quota" "ml" {
     hard = {
-      "limits.cpu" = "64"
+      "limits.cpu" = "72"
       "requests.nvidia.com/gpu" = "3"
'''))
b.change("se-rel-210", "deploy", 201, "search-api", "argo", "search-api 210")
b.alert("SearchLatency", "search-api", 183, "critical", "p99 above 1 s"); b.alert("IndexerBacklog", "indexer", 214, "warning", "backlog > 3000", label="job"); b.alert("EmbedQueue", "embed-svc", 181, "warning", "embed queue grows")
b.edges = [["search-api", "embed-svc"], ["search-api", "vector-db"], ["search-api", "rerank-svc"], ["indexer", "embed-svc"], ["indexer", "vector-db"], ["embed-svc", "gpu-node-1"], ["embed-svc", "gpu-node-2"], ["embed-svc", "gpu-node-3"]]
b.expect("infrastructure_node", ["infrastructure"], ["gpu-node-1", "gpu-node-2", "gpu-node-3", "embed-svc"], None, ["em-rel-17", "em-901", "se-rel-209", "quota-ml", "ix-rebuild-44"], ON, [ON - 1, ON + 8], why="Three steps 19 and 22 minutes apart coincide with each node coming back from a managed upgrade with driver 570, CUDA init error 999 and Xid 119; embed-svc 17 ran 27 minutes on the old driver without trouble.")
b.write(opened=184)
