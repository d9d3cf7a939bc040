from common import *
b = B("bff-listener-leak", 423, "2024-05-28T05:00:00Z", 6, 60, "rider-app")
D=48.0; T=D+10; K=[213.0,309.0]
mem=np.zeros(b.n); last=D
for k in K+[999]:
    seg=(b.m>=last)&(b.m<k); mem[seg]=(b.m[seg]-last)/(K[0]-D)*(1.0 if last==D else 1.72); last=k
mem=np.clip(mem,0,1.05)
hot=np.clip((mem-.6)/.4,0,1); crash=sum(b.pulse(k,k+3,.3) for k in K)
tr=b.day(.22,330,720)
b.edges=[["rider-bff","trip-service"],["rider-bff","location-stream"],["rider-bff","payment-service"],["trip-service","trip-db"],["location-stream","location-redis"]]
b.svc2("rider-bff","otel",rps=130,p50=24,p99=210,traffic=tr,slow=1+3.2*hot,fail=.25*crash+.01*hot,mem=520,memm=1+2.7*mem,cpum=1+.5*hot)
b.g("rider-bff","nodejs_eventloop_lag_p99_ms",9,.15,1+9*hot); b.g("rider-bff","nodejs_heap_used_mb",310,.03,1+4.1*mem); b.g("rider-bff","event_listeners",2600,.03,1+26*mem,dec=0); b.g("rider-bff","ws_clients",2500,.03,tr*(1-.6*crash),dec=0); b.c("rider-bff","container_restarts",0,start=2,add=0)
b.put("rider-bff","kube_pod_container_status_restarts_total",4+4.0*(b.m>K[0])+4.0*(b.m>K[1]),None,0)
b.svc("trip-service","prom",rps=70,p50=14,p99=110,traffic=tr*(1-.3*crash)); b.svc2("payment-service","grpc",rps=12,p50=60,p99=420,traffic=tr); b.svc2("location-stream","grpc",rps=310,p50=2,p99=18,traffic=tr*(1-.4*crash)); b.pg("trip-db",tps=150); b.g("location-redis","used_memory_mb",740,.01)
for c,s,n in (("rider-bff","mobile",600),("trip-service","go",300),("payment-service","ktor",150),("location-stream","rust",300),("trip-db","postgres",60)): b.chat(c,s,n)
b.burst("rider-bff","warn",["MaxListenersExceededWarning: Possible EventEmitter memory leak detected. 2{d} position listeners added to [LocationHub]"],D+9,360,.35)
for k in K:
    b.burst("rider-bff","error",["FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"],k-.4,k+1,4); b.burst("rider-bff","info","rider-bff 5.20.0 listening on :8080",k+1.5,k+3,3)
    b.burst("kube-events","Warning","OOMKilling: Memory cgroup out of memory: Killed process node pod/rider-bff-{hex}",k-.3,k+1,4)
b.burst("rider-bff","warn","slow response GET /m/v3/trip 1{n}ms, event loop lag high",K[0]-40,K[0],2)
p="src/live/tripSocket.ts"; sh=b.sha()
b.change("0c4e1","commit",D-31,"rider-bff","i.castel","Live position on the trip screen",[p,"src/live/hub.ts"],diff(p,"""
@@ -12,9 +12,21 @@ export function attach(ws: WebSocket, ctx: RiderContext) {
   ws.on('message', (raw) => {
     const msg = parse(raw);
     if (msg.type === 'ping') ws.send(PONG);
+    if (msg.type === 'watch') {
+      const history: Position[] = [];
+      locationHub.on('position', (p: Position) => {
+        if (p.tripId !== msg.tripId) return;
+        history.push(p);
+        ws.send(JSON.stringify({ type: 'position', p, trail: history.slice(-20) }));
+      });
+    }
   });
 
   ws.on('close', () => {
     sessions.delete(ctx.riderId);
   });
 }
"""),commit=sh); b.change("dep-880","deploy",D,"rider-bff","deploy-bot","rider-bff 5.20.0",[],None,commit=sh,tz=2)
b.inn("dep-881","go-metrics",120,"trip-service","m.faye"); b.change("dep-882","deploy",K[0]-6,"payment-service","m.faye","payment-service 3.4: retry once on 409",["src/main/kotlin/pay/Capture.kt"],diff("src/main/kotlin/pay/Capture.kt","@@ -21,5 +21,5 @@ class Capture(private val psp: Psp) {\n     suspend fun capture(p: Payment): Result =\n-        psp.capture(p.ref, p.amount)\n+        retryOnce({ it is Conflict }) { psp.capture(p.ref, p.amount) }\n }\n"),commit=b.sha(),tz=2)
b.inn("dep-883","kt-test",K[0]-52,"payment-service","m.faye",kind="commit"); b.inn("cfg-884","helm-hpa",K[0]+14,"rider-bff","oncall",kind="config",title="rider-bff maxReplicas 8 -> 12 (incident)"); b.inn("dep-885","go-ctx",K[0]-20,"location-stream","x.tran",nodiff=True)
b.alert("BffRestarts","rider-bff",K[0]+1.5,"critical","Pods of rider-bff restart"); b.alert("BffErrors","rider-bff",K[0]+2,"critical","rider-bff errors above 5%"); b.alert("BffMemory","rider-bff",K[0]-38,"warning","Memory of rider-bff above 1.2 GB")
b.expect("memory leak by listeners",["code"],["rider-bff"],"dep-880",["dep-882","dep-885","dep-881"],T,(D,K[0]+2),why="Heap and event_listeners grow linearly from this deploy on (reset at restarts, grow again); the warning names position listeners of LocationHub, added without removal by the commit.",change_also=["0c4e1"],delayed=True)
b.write()
