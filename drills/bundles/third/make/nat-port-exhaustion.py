from common import *
b = B("nat-port-exhaustion", 409, "2024-04-09T13:00:00Z", 2.5, 30, "parcel-functions")
T=82.0
f=b.ramp(T,T+12)
b.edges=[["api-gateway","fn-label"],["api-gateway","fn-track"],["fn-label","carrier-a"],["fn-track","carrier-b"],["fn-notify","push-provider"],["fn-label","nat-gateway"],["fn-track","nat-gateway"],["fn-notify","nat-gateway"],["fn-archive","label-bucket"]]
b.svc("api-gateway","cw",rps=55,p50=90,p99=900,fail=.3*f,slow=1+3*f)
for n,r,x in (("fn-label",12,.45),("fn-track",38,.4),("fn-notify",16,.42),("fn-archive",9,0)): b.svc2(n,"lambda",rps=r,p50=110,p99=800,fail=x*f,slow=1+(5*f if x else 0),slow50=1+(1.2*f if x else 0))
b.g("nat-gateway","ActiveConnectionCount",41000,.02,1+.345*b.ramp(20,T),hi=55200,dec=0); b.g("nat-gateway","ErrorPortAllocation",0,add=3400*f,dec=0); b.g("nat-gateway","ConnectionAttemptCount",26000,.03,1+.15*b.ramp(20,T)+.5*f,dec=0); b.g("nat-gateway","ConnectionEstablishedCount",25900,.03,1+.15*b.ramp(20,T)-.38*f,dec=0); b.g("nat-gateway","BytesOutToDestination",9.1e7,.05,1-.2*f,dec=-4); b.g("nat-gateway","PacketsDropCount",3,.4)
b.g("partner-crawler","connections_open",9000,.04,1+1.55*b.ramp(20,T),dec=0); b.g("partner-crawler","pages_per_min",420,.06,1+1.5*b.ramp(20,T),dec=0)
for c,s,n in (("api-gateway","nginx",380),("fn-label","lambda",220),("fn-track","lambda",380),("fn-notify","lambda",220),("fn-archive","lambda",140),("partner-crawler","worker",160)): b.chat(c,s,n)
b.burst("fn-label","ERROR",["ConnectTimeoutError: connect to carrier-a.example:443 timed out after 3000ms","connect ETIMEDOUT carrier-a.example:443 (no source port?)"],T,150,3,True)
b.burst("fn-track","ERROR",["ConnectTimeoutError: connect to carrier-b.example:443 timed out after 3000ms"],T,150,5,True); b.burst("fn-notify","ERROR","connect ETIMEDOUT push-provider.example:443",T,150,3,True)
b.burst("nat-gateway","WARN","ErrorPortAllocation: no free source port for destination 203.0.113.{d}:443 (55000 in use)",T,150,2); b.burst("api-gateway","WARN","502 from fn-track after 3{n}ms path=/track/{id}",T+1,150,3,True)
b.log("partner-crawler",20,"INFO","quarterly catalogue of partner pages started, 1.2M urls (scheduled, owner: growth)")
b.change("lam-1","deploy",T-3,"fn-label","d.egede","fn-label $v61: thermal printer format",["src/format/zpl.ts"],diff("src/format/zpl.ts","@@ -4,5 +4,7 @@ export function zpl(label: Label): string {\n   const out = ['^XA'];\n+  if (label.printer === 'thermal-203') out.push('^PW812');\n   out.push(`^FO40,40^FD${label.ref}^FS`);\n   out.push('^XZ');\n   return out.join('');\n"),commit=b.sha())
b.inn("lam-2","ts-type",30,"fn-track","d.egede"); b.inn("lam-3","tf-alarm",T-36,"nat-gateway","platform-bot",kind="config"); b.inn("lam-5","test-bump",T-11,"fn-notify","d.egede"); b.inn("lam-6","css",12,"api-gateway","web-team",kind="commit")
b.alert("Gateway5xx","api-gateway",T+5,"critical","5xx ratio of api-gateway above 5%"); b.alert("FnErrors","fn-track",T+6,"critical","fn-track errors above 10%",label="function"); b.alert("FnErrors","fn-label",T+6,"critical","fn-label errors above 10%",label="function")
b.expect("NAT ports used up",["capacity","infrastructure","traffic"],["nat-gateway","partner-crawler"],None,["lam-1","lam-5"],T,(T-1,T+5),why="ErrorPortAllocation starts when the gateway's connections reach 55,000; three functions with different providers fail together, the one without egress does not.")
b.write()
