# N9 ML: one GPU node has ECC/XID errors; inference errors only from pods on that node. Decoy runtime deploy.
from common import *
b = B("llm_serving", 309, "2025-12-09T20:00:00", 120, 30, ids="m-{n}")
b.chat_scale = 0.5
L = b.load(.2, 20); T = 57
b.topo("chat-api>llm-router;llm-router>vllm;vllm>node-g1,node-g2,node-g3,node-g4;batch-eval>llm-router;artifact-cache>node-g1,node-g2,node-g3,node-g4")
b.svc("chat-api", "prom", 60, 900, .003, load=L, errs=[add(T, .07, 1)], lat=[mul(T, 1.5, 2)]); b.svc("llm-router", "prom", 70, 820, .001, load=L, errs=[add(T, .09, 1)], lat=[mul(T, 1.5, 2)], rt="go"); b.svc("vllm", "prom", 70, 800, .001, load=L, errs=[add(T, .11, 1)], reset=[52])
for i in range(1, 5):
    g, x = f"node-g{i}", i == 3
    b.s(g, "DCGM_FI_DEV_GPU_UTIL", 71, .06, L, fx=[wob(T, .45, 3)] if x else [mul(T+2, 1.07, 3)], hi=100); b.s(g, "DCGM_FI_DEV_XID_ERRORS", 0, 0, kind="k", fx=[add(T, 79 if x else 0, 0)] if x else []); b.s(g, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", 0, 0, kind="k", fx=[lambda v, m: int(max(0, m - T + .6) / 2) if m > T - .6 else 0] if x else []); b.s(g, "DCGM_FI_DEV_GPU_TEMP", 64, .02, L, fx=[add(T-9, 9, 9)] if x else []); b.s(g, "vllm_tokens_per_second", 2100, .06, L, fx=[mul(T, .3, 1)] if x else []); b.s(g, "node_load1", 9, .1, L)
b.s("batch-eval", "jobs_running", 1, 0, kind="k", fx=[add(70, 3, 0)]); b.s("artifact-cache", "hit_ratio", .96, .01, hi=1); b.s("llm-router", "router_retries_total", .2, kind="r", fx=[add(T, 8, 1)])
b.chat("vllm", 3, ["I finished request tokens={#40-900} in {~780}ms", "D kv cache usage {#40-80}%", "W prompt truncated to 8192"], pods=0, node="node-g{1|2|3|4}", build="0.9.4"); b.chat("vllm", 3, ["E CUDA error: uncorrectable ECC error encountered\n  File \"/opt/vllm/worker.py\", line 211, in execute_model\n    out = self.model(input_ids, positions, kv)\nRuntimeError: CUDA error: uncorrectable ECC error encountered", "E engine dead, request aborted", "I engine restarted in {~20000}ms"], T, node="node-g3", build="0.9.4"); b.chat("node-g3", .8, ["E NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus", "E NVRM: Xid (PCI:0000:3b:00): 48, DBE (double bit error) SBE/DBE page retirement pending", "W pcieport 0000:3a:00.0: AER: Multiple Corrected error received"], T-.6, source="kernel")
for i in (1, 2, 3, 4): b.chat(f"node-g{i}", .4, ["I kubelet: image GC ok", "I systemd: Started Daily cleanup", "W kubelet: pod sandbox changed"])
b.chat("chat-api", 2.5, "py"); b.chat("llm-router", 2, "go"); b.chat("llm-router", 2.5, ["W upstream vllm on node-g3 500, retry on node-g{1|2|4}", "E request failed after retry node=node-g3"], T); b.chat("batch-eval", .6, "batch"); b.chat("artifact-cache", .4, "redis"); b.log(52.2, "vllm", "I vllm 0.9.4 loaded on node-g1,node-g2,node-g3,node-g4")
d1 = b.change(51.4, "deploy", "vllm", "vllm 0.9.4: chunked prefill on", diff=D("serving/vllm/args.yaml", " args:\n   - --max-model-len=8192\n-  - --gpu-memory-utilization=0.88\n+  - --gpu-memory-utilization=0.92\n+  - --enable-chunked-prefill", 7))
d2 = b.change(T-2, "config", "llm-router", "llm-router: least-loaded instead of round robin", diff=D("router/config.toml", " [balance]\n-policy = \"round_robin\"\n+policy = \"least_loaded\"\n retries = 1", 3))
d3 = b.change(30, "config", "node-g3", "node-g pool: kernel sysctl net.core.somaxconn 1024 -> 4096", diff=D("ansible/gpu.yml", " sysctl:\n-  net.core.somaxconn: 1024\n+  net.core.somaxconn: 4096", 14))
b.bystanders([('tokenizer-svc', 'py'), ('safety-filter', 'py'), ('usage-meter', 'go')], 'prom', L, 'chat-api')
b.bg(5, ["chat-api", "batch-eval", "artifact-cache"], -60, 110)
b.alert(T+4, "LlmErrors", "critical", "llm-router errors 9%", "", service="llm-router"); b.alert(T+5, "ChatErrors", "critical", "chat-api errors 7%", "", service="chat-api")
b.done("llm serving", "faulty GPU in one node", ["infrastructure"], ["node-g3"], None, [d1, d2, d3], T, "all CUDA ECC errors are on node-g3 whose kernel logs Xid and double bit errors; three nodes run the same build and arguments without one.")
