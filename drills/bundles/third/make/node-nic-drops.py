from common import *
b = B("node-nic-drops", 405, "2024-09-03T11:00:00Z", 2, 20, "checkout-chain")
T=52.3
f=b.stp(T,.6)*(1-b.stp(97,.6))
b.edges=[["web","checkout"],["checkout","pricing"],["pricing","tax"],["checkout","stock"],["tax","tax-db"],["stock","stock-db"]]
b.svc2("web","graphite",rps=140,p50=60,p99=480,fail=.02*f,slow=1+2.2*f,slow50=1+.15*f)
b.svc("checkout","prom",rps=60,p50=40,p99=350,fail=.05*f,slow=1+3.2*f,slow50=1+.2*f)
b.svc("pricing","prom",rps=75,p50=12,p99=90,fail=.06*f,slow=1+9*f,slow50=1+.3*f)
b.svc("stock","prom",rps=66,p50=8,p99=60,fail=.045*f,slow=1+8*f,slow50=1+.25*f)
b.svc("tax","prom",rps=70,p50=5,p99=35,slow=1+.2*f)
b.pg("tax-db",tps=90); b.pg("stock-db",tps=120)
for n in ("worker-node-03","worker-node-07","worker-node-11"):
    k=f if n.endswith("07") else 0*f
    b.g(n,'node_network_receive_drop_per_s{device="eth0"}',.02,.5,add=410*k); b.g(n,"node_netstat_tcp_retrans_per_s",1.4,.25,add=220*k); b.g(n,"node_cpu_busy_percent",46,.06); b.g(n,"node_memory_used_percent",63,.01)
for c,s,n in (("web","nginx",420),("checkout","go",260),("pricing","spring",220),("stock","go",200),("tax","spring",180),("worker-node-07","kube",50),("worker-node-03","kube",40)): b.chat(c,s,n)
b.burst("worker-node-07","error",["kernel: mlx5_core 0000:3b:00.0 eth0: TX timeout on queue {d}, recovering","kernel: mlx5_core 0000:3b:00.0: health poll: device's health compromised, synd 0x8"],T-.1,97,2)
b.burst("pricing","WARN",["call tax.Rate timed out after 500 ms pod=pricing-6c9-xk2lq node=worker-node-07","connection reset by peer (tax) pod=pricing-6c9-xk2lq node=worker-node-07"],T+.3,97,4)
b.burst("stock","warn",["query canceled: i/o timeout pod=stock-77d-9qz4m node=worker-node-07","read tcp 10.4.7.31:{id}->stock-db:5432: i/o timeout pod=stock-77d-9qz4m node=worker-node-07"],T+.4,97,3)
b.burst("checkout","error","price lookup failed for basket {id}: context deadline exceeded",T+.6,97,3)
b.log("worker-node-07",95.5,"Normal","cordoned and drained by oncall"); b.log("pricing",96.8,"INFO","pod pricing-6c9-p0d7x started node=worker-node-11")
b.change("cd-701","deploy",T-2.1,"pricing","n.haas","pricing 41: round half even for bundle prices",["src/main/java/app/pricing/BundlePrice.java"],diff("src/main/java/app/pricing/BundlePrice.java","@@ -33,5 +33,5 @@ final class BundlePrice {\n     BigDecimal total(List<Line> lines) {\n         return lines.stream().map(Line::net).reduce(ZERO, BigDecimal::add)\n-            .setScale(2, RoundingMode.HALF_UP);\n+            .setScale(2, RoundingMode.HALF_EVEN);\n     }\n"),commit=b.sha())
b.inn("cd-702","go-metrics",T-17,"stock","n.haas"); b.inn("cd-703","ts-copy",14,"web","z.amin"); b.change("cd-704","deploy",T+19,"pricing","n.haas","Roll back pricing to 40",[],None,commit=b.sha())
b.inn("cd-705","helm-hpa",T+28,"checkout","oncall",kind="config"); b.inn("cd-706","sql-comment",30,"tax-db","m.ruiz",kind="commit")
b.alert("CheckoutP99","checkout",T+4,"critical","checkout p99 above 1 s"); b.alert("PricingErrors","pricing",T+4.5,"critical","pricing 5xx ratio above 2%"); b.alert("StockErrors","stock",T+5,"warning","stock 5xx ratio above 2%")
b.expect("network interface of one node",["infrastructure"],["worker-node-07"],None,["cd-701","cd-702"],T,(T-.6,T+1),why="Drops, retransmits and mlx5 kernel errors only on worker-node-07; failing lines of two unrelated services carry that node; rollback had no effect, draining the node cured it.")
b.write()
