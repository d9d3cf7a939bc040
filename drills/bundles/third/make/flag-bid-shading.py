from common import *
b = B("flag-bid-shading", 435, "2024-05-07T14:00:00Z", 2, 20, "ad-exchange")
D=55.0; T=55.3; R=93.5
f=b.stp(T,.8)*(1-b.stp(R,.6))
b.edges=[["exchange","bidder"],["bidder","profile-store"],["bidder","budget-service"],["bidder","creative-cache"],["budget-service","budget-redis"],["event-collector","billing-topic"]]
b.svc2("exchange","graphite",rps=900,p50=32,p99=120,slow=1+.8*f); b.svc2("bidder","grpc",rps=850,p50=14,p99=70,slow=1+3.4*f,slow50=1+1.6*f,fail=.16*f); b.g("bidder","bid_timeouts_per_s",3,.2,add=190*f); b.g("bidder","bid_rate",.42,.04,1-.4*f); b.g("bidder",'stage_ms_p95{stage="shading"}',.3,.2,add=46*f); b.g("bidder",'stage_ms_p95{stage="profile"}',9,.1,1+.1*f); b.g("bidder",'stage_ms_p95{stage="budget"}',4,.1)
b.g("bidder","win_price_cpm_avg",1.84,.05,1-.07*f); b.g("bidder","cpu_cores",21,.05,1+.75*f)
b.g("profile-store","reads_per_s",1700,.05,dec=0); b.g("profile-store","read_p99_ms",6,.1); b.svc2("budget-service","otel",rps=820,p50=2,p99=14); b.g("budget-redis","instantaneous_ops_per_sec",3400,.05,dec=0); b.g("budget-redis","used_memory_mb",610,.01); b.g("creative-cache","hit_ratio",.985,.003); b.g("billing-topic","messages_in_per_sec",350,.06,1-.4*f); b.g("event-collector","impressions_per_s",340,.06,1-.4*f)
b.host_noise("report-vm")
for c,s,n in (("exchange","envoy",420),("bidder","rust",480),("budget-service","go",260),("event-collector","worker",200),("profile-store","cassandra",120)): b.chat(c,s,n)
b.burst("bidder","WARN",["bid deadline 60ms missed stage=shading model=shade_quantile elapsed_ms=5{d} rid={hex}","no bid: budget left after shading stage -{d} ms rid={hex}"],T,R+.2,7); b.burst("exchange","WARN","bidder answered late, response dropped rid={hex}",T+.2,R+.3,3)
b.log("bidder",D+.2,"INFO","flags refreshed: bid.shading.quantile=on(100) v212"); b.log("bidder",R+.1,"INFO","flags refreshed: bid.shading.quantile=off v213")
b.change("fl-212","flag",D,"bidder","k.strand","bid.shading.quantile: 1% -> 100%",["flags/bid.shading.quantile.json"],diff("flags/bid.shading.quantile.json","@@ -2,7 +2,7 @@\n   \"key\": \"bid.shading.quantile\",\n   \"variations\": [\"off\", \"on\"],\n-  \"rollout\": {\"on\": 1, \"off\": 99},\n+  \"rollout\": {\"on\": 100, \"off\": 0},\n   \"owner\": \"bidding\"\n }\n"))
b.change("d-901","deploy",D-2.2,"bidder","l.brun","bidder 0.311: count no-bid reasons",["src/metrics/nobid.rs"],diff("src/metrics/nobid.rs","@@ -4,5 +4,8 @@ pub enum Reason { Budget, Floor, Late, Category }\n+pub fn count(reason: Reason) {\n+    counter!(\"nobid_total\", \"reason\" => reason.as_str()).increment(1);\n+}\n+\n impl Reason {\n     pub fn as_str(&self) -> &'static str {\n"),commit=b.sha())
b.inn("d-900","go-metrics",16,"budget-service","l.brun"); b.change("fl-211","flag",D-11,"exchange","k.strand","exchange.log.sampled: on",[],None); b.change("d-902","deploy",T+17,"bidder","l.brun","Roll back bidder to 0.310",[],None,commit=b.sha()); b.change("fl-213","flag",R,"bidder","oncall","bid.shading.quantile: off",["flags/bid.shading.quantile.json"],None); b.inn("cf-31","helm-hpa",T+24,"bidder","oncall",kind="config")
b.alert("BidTimeouts","bidder",T+2.3,"critical","bid timeouts above 80/s"); b.alert("RevenueRate","event-collector",T+5,"critical","Impressions per second 30% under forecast")
b.expect("flag to 100%",["configuration","code"],["bidder"],"fl-212",["d-901","fl-211","d-902","cf-31"],T,(D-.1,T+1.5),why="Stage shading takes 46 ms right after the flag bid.shading.quantile went to 100%; rolling back the deploy changed nothing, turning the flag off cured it.")
b.write()
