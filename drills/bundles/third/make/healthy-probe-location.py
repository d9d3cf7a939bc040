from common import *
b = B("healthy-probe-location", 411, "2024-01-18T18:00:00Z", 2, 30, "member-portal")
b.edges=[["portal","member-service"],["portal","claims-service"],["member-service","member-db"],["claims-service","claims-db"],["probe-runner","portal"]]
tr=b.day(.18,10,480)
b.svc("portal","cw",rps=70,p50=55,p99=420,traffic=tr); b.svc("member-service","micrometer",rps=50,p50=12,p99=100,traffic=tr); b.svc("claims-service","dd",rps=16,p50=30,p99=260,traffic=tr); b.pg("member-db",tps=160); b.pg("claims-db",tps=40,disk=71)
P=(46,58)
for l in ("eu-1","eu-2","us-1"):
    bad=b.pulse(*P,.01)>.5 if l=="us-1" else np.zeros(b.n,bool)
    b.put("probe-runner",f'probe_success{{location="{l}"}}',np.where(bad,0,1)); b.g("probe-runner",f'probe_duration_seconds{{location="{l}"}}',.31,.08,mul=np.where(bad,0,1)*1.0,add=10.0*bad)
b.host_noise("backup-host")
for c,s,n in (("portal","nginx",480),("member-service","spring",300),("claims-service","dotnet",240),("member-db","postgres",80)): b.chat(c,s,n)
b.burst("probe-runner","warn","probe location=us-1 target=portal: Get \"https://portal.example\": dial tcp: lookup portal.example: i/o timeout (resolver of the probe host)",*P,1); b.log("probe-runner",59,"info","location us-1: agent restarted, resolver ok; targets of all tenants had failed from us-1"); b.burst("probe-runner","info","probe location=eu-{d} target=portal ok 0.3s",0,120,.6)
b.inn("hp-1","java-dto",41,"member-service","q.lee"); b.inn("hp-2","css",20,"portal","q.lee"); b.inn("hp-3","java-log",44.5,"claims-service","s.ek"); b.inn("hp-4","helm-label",90,"portal","platform-bot",kind="config")
b.alert("PortalProbeFailed","portal",48,"warning","Synthetic probe of the portal fails from us-1","One of three locations fails",end=59.5,location="us-1")
b.expect("false alarm: probe host",[],[],None,[],None,None,True,"Requests, latency and errors of every component are unchanged; only the probe host us-1 lost its own resolver.")
b.write()
