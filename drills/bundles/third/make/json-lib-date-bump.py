from common import *
b = B("json-lib-date-bump", 437, "2024-09-26T07:00:00Z", 2.5, 30, "freight-chain")
D=68.0; T=69.6; R=121
f=b.stp(T,1.5)*(1-b.stp(R,.8))
b.edges=[["shipment-service","shipments-topic"],["eta-service","shipments-topic"],["customs-service","shipments-topic"],["tracking-api","eta-service"],["shipper-web","tracking-api"],["eta-service","eta-db"]]
b.svc("shipment-service","micrometer",rps=26,p50=25,p99=200); b.svc("eta-service","dd",rps=34,p50=18,p99=140,fail=.02*f); b.svc2("tracking-api","otel",rps=60,p50=25,p99=200,fail=.22*b.stp(T+4,4)*(1-b.stp(R+5,3))); b.svc2("shipper-web","graphite",rps=44,p50=60,p99=450,fail=.2*b.stp(T+4,4)*(1-b.stp(R+5,3)))
b.g("shipments-topic","messages_in_per_sec",24,.07); b.g("shipments-topic","bytes_in_per_sec",21000,.06,1-.03*f); b.k("shipments-topic","under_replicated_partitions",0)
b.c("eta-service","deserialization_errors_total",0,add=23*f,start=3); b.g("eta-service","records_processed_per_s",24,.07,1-.97*f); b.g("eta-service","dead_letter_depth",6,.01,add=23*60*np.clip(np.minimum(b.m,R)-T,0,None),dec=0); b.c("customs-service","deserialization_errors_total",0,add=23*f,start=1); b.g("customs-service","records_processed_per_s",24,.07,1-.97*f); b.g("customs-service","rss_mb",640,.01); b.pg("eta-db",tps=90,tpsm=1-.45*f)
b.host_noise("bi-vm")
for c,s,n in (("shipment-service","spring",340),("eta-service","dotnet",280),("customs-service","go",220),("tracking-api","node",280),("shipper-web","php",240),("shipments-topic","kafka",90)): b.chat(c,s,n)
b.burst("eta-service","Error",["System.Text.Json.JsonException: The JSON value could not be converted to System.DateTimeOffset. Path: $.plannedAt | got array [2024,9,26,8,{d}]","record shipments-{d}@{id} to dead letters: $.plannedAt is not an ISO string"],T,R+.4,5); b.burst("customs-service","error","decode shipment: json: cannot unmarshal array into Go struct field Shipment.plannedAt of type string (producer=shipment-service/3.40.0)",T+.1,R+.4,4); b.burst("tracking-api","warn","eta of {id} unknown, answered 404 instead",T+4,R+5,3)
b.log("shipment-service",D+1.4,"INFO","Started ShipmentApplication 3.40.0"); b.log("shipment-service",R+.3,"INFO","Started ShipmentApplication 3.39.2")
p="pom.xml"; sh=b.sha()
b.change("bump-118","commit",D-26,"shipment-service","dep-bot","Bump json-databind 2.13.5 -> 3.0.1",[p],diff(p,"""
@@ -61,15 +61,11 @@
     <dependency>
       <groupId>org.jsonkit</groupId>
       <artifactId>json-databind</artifactId>
-      <version>2.13.5</version>
-    </dependency>
-    <dependency>
-      <groupId>org.jsonkit</groupId>
-      <artifactId>json-datatype-time</artifactId>
-      <version>2.13.5</version>
+      <version>3.0.1</version>
     </dependency>
"""),commit=sh); b.change("rel-340","deploy",D,"shipment-service","deploy-bot","shipment-service 3.40.0",[],None,commit=sh)
b.change("rel-212","deploy",T-.5,"eta-service","o.lemaire","eta-service 2.12: ferry legs count as waiting",["Eta/Legs/FerryLeg.cs"],diff("Eta/Legs/FerryLeg.cs","@@ -8,5 +8,5 @@ public sealed record FerryLeg(TimeSpan Crossing) : Leg\n-    public override TimeSpan Driving => Crossing;\n+    public override TimeSpan Waiting => Crossing;\n }\n"),commit=b.sha()); b.inn("rel-211","go-ctx",T-16,"customs-service","o.lemaire"); b.change("rel-213","deploy",T+18,"eta-service","o.lemaire","Roll back eta-service to 2.11",[],None,commit=b.sha()); b.change("rel-341","deploy",R,"shipment-service","deploy-bot","Roll back shipment-service to 3.39.2",[],None,commit=b.sha()); b.inn("web-9","css",30,"shipper-web","web-bot"); b.inn("bump-117","test-bump",D-40,"tracking-api","dep-bot",kind="commit")
b.alert("EtaDeadLetters","eta-service",T+4,"critical","eta-service dead letters grow"); b.alert("TrackingErrors","tracking-api",T+9,"critical","tracking-api errors above 10%"); b.alert("CustomsDecode","customs-service",T+4.5,"warning","customs-service cannot decode records")
b.expect("library bump changes the date format",["dependency","code"],["shipment-service"],"rel-340",["rel-212","rel-211","rel-213","bump-117"],T,(D,T+2.5),why="Two independent consumers fail on plannedAt as array from producer shipment-service/3.40.0, which ships the json library bump; rollback of eta-service did not help, that of shipment-service did.",change_also=["bump-118"])
b.write()
