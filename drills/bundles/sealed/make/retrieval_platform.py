# K1 ML platform config: memory limit cut; cache warms for ~45 min, then OOMKills. Decoy: image deploy 3 min before first OOM.
from common import *
b = B("retrieval_platform", 201, "2025-10-02T11:20:00", 150, 30, ids="argo-{n}")
L = b.load(.2, 14); C = 31; O = [84, 91.5, 97, 104, 109.5, 117, 124, 131]
b.topo("search-api>embedder,vector-db;rag-worker>embedder,vector-db,llm-proxy;embedder>model-store,kv-cache;indexer>embedder,vector-db")
def mem(v, m):
    if m < C: return 3650
    last = C
    for o in O:
        if m >= o + .8: last = o + .8
    k = 55 if last == C else 12
    return min(900 + 2800 * (1 - math.exp(-(m - last) / (k * .55))), 3040)
oo = [f for o in O for f in (add(o, .2, .3, o+1.2, 1.5),)]; ol = [mul(O[0], 2.4, 2)]
b.svc("embedder", "prom", 210, 38, .0005, mem=3650, load=L, memx=[mem], errs=oo, lat=[mul(C+.5, 1.5, .5, C+4, 14)] + ol, cpux=[mul(C+.5, 1.2, .5, C+5, 14)])
b.s("embedder", "container_spec_memory_limit_bytes", 6442450944, 0, kind="k", fx=[to(C, 3221225472, 0)]); b.s("embedder", "kube_pod_container_status_restarts_total", 2, 0, kind="k", fx=[add(o+.8, 1, 0) for o in O])
b.s("embedder", "embed_cache_entries", 1.9e6, .01, kind="i", fx=[lambda v, m: v * max(.02, (mem(0, m) - 900) / 2750)]); b.s("embedder", "embed_cache_hit_ratio", .72, .02, fx=[lambda v, m: v * max(.1, min(1, (mem(0, m) - 900) / 2100))], hi=1)
b.s("embedder", "kube_deployment_status_replicas_available", 4, 0, kind="k", fx=[lambda v, m: v - (1 if any(o <= m < o + 1.3 for o in O) else 0)])
b.svc("search-api", "prom", 150, 120, .001, load=L, errs=[add(o, .06, .3, o+1.2, 1.5) for o in O], lat=[mul(O[0], 1.7, 2)], rt="go"); b.svc("rag-worker", "prom", 12, 2400, .004, load=L, errs=[add(o, .05, .3, o+1.2, 1.5) for o in O])
b.s("vector-db", "vdb_query_p95_ms", 21, .08); b.s("vector-db", "vdb_segments", 88, 0, kind="k", fx=[lambda v, m: v + int(m / 17) % 5]); b.s("vector-db", "node_disk_io_util_pct", 18, .1, fx=[mul(50, 3, 2, 63)]); b.s("kv-cache", "redis_connected_clients", 64, .02, kind="i"); b.s("llm-proxy", "llm_tokens_per_sec", 5200, .1, L); b.s("llm-proxy", "llm_upstream_429", .2, 0, kind="p")
b.s("indexer", "docs_indexed", 900, .1, fx=[to(50, 2600, 1, 63)]); b.s("model-store", "gets", .5, 0, kind="p", fx=[add(C, 4, 0, C+2, 0)] + [add(o, 1, 0, o+1, 0) for o in O])
b.chat("embedder", 2.5, ["I embed batch n={#1-64} {~30}ms cache=hit:{#20-60}", "D lru size ok", "W tokenizer truncation at 512 tokens"], pods=4); b.chat("search-api", 2.5, "go"); b.chat("rag-worker", 1.2, "py"); b.chat("vector-db", .7, ["I segment flush {#1-40}MB", "I compaction done in {~4000}ms"]); b.chat("indexer", .8, "batch"); b.chat("llm-proxy", .8, "node")
for o in O:
    b.log(o, "embedder", "W Container embedder terminated reason=OOMKilled exitCode=137 limit=3Gi", source="kubelet"); b.log(o+.8, "embedder", "I loading model e5-base-q8 rss=900MB"); b.chat("search-api", 12, ["E embed call failed: upstream connect error or disconnect/reset before headers", "W falling back to lexical search"], o, o+1.2); b.chat("rag-worker", 3, ["E retriever: embedder unavailable (connection reset)"], o, o+1.2)
b.log(C+.1, "embedder", "I rollout: resources changed, 4 pods replaced"); b.log(81.5, "embedder", "I rollout: image 1.19.2, 0 pods waiting"); 
G = b.change(C-1, "config", "embedder", "right-size requests/limits from 30d p50 (cost review)", diff=D("clusters/prod/ml/embedder/values.yaml", """
 resources:
   requests:
     cpu: "2"
-    memory: 5Gi
+    memory: 2Gi
   limits:
     cpu: "6"
-    memory: 6Gi
+    memory: 3Gi
 env:
   EMBED_CACHE_ENTRIES: "2000000\"""", 17) + D("clusters/prod/ml/indexer/values.yaml", """
   requests:
-    memory: 2Gi
+    memory: 1536Mi
   limits:
     memory: 2Gi""", 9))
d1 = b.change(80.8, "deploy", "embedder", "embedder 1.19.2: batch tokenizer", diff=D("embedder/server/tokenize.py", """
-    encoded = [tok.encode(t, max_length=512, truncation=True) for t in texts]
+    encoded = tok.batch_encode_plus(texts, max_length=512, truncation=True)["input_ids"]
     return pad(encoded)""", 28))
d2 = b.change(76, "config", "vector-db", "vector-db: ef_search 64 -> 80", diff=D("clusters/prod/ml/vector-db/values.yaml", " index:\n   m: 16\n-  efSearch: 64\n+  efSearch: 80", 12))
b.bg(6, ["search-api", "rag-worker", "llm-proxy", "indexer"], avoid=[(80, 86)])
b.alert(O[1]+1, "PodCrashLooping", "critical", "embedder restarting", "restarts_total increases", service="embedder"); b.alert(O[2]+1, "SearchFallbackRate", "warning", "lexical fallback rate 6%", "", service="search-api")
b.done("retrieval platform", "memory limit halved, OOM when cache has warmed up", ["configuration", "capacity"], ["embedder"], G, [d1, d2], O[0], "limit drops to 3Gi below the steady working set of 3.6 GB; memory refills since that rollout, long before the tokenizer image.", alt=C+.5)
