from common import *
b = B("pgbouncer-pool-size", 434, "2024-01-30T13:00:00Z", 2, 20, "school-saas")
D=47.0; T=47.6
f=b.stp(T,1.5)
b.edges=[["school-web","pgbouncer"],["grade-worker","pgbouncer"],["parent-api","pgbouncer"],["pgbouncer","school-pg"],["school-mobile","parent-api"]]
b.svc2("school-web","graphite",rps=90,p50=35,p99=260,slow=1+12*f,slow50=1+7*f,fail=.08*b.stp(T+2,2)); b.svc2("parent-api","otel",rps=55,p50=22,p99=180,slow=1+14*f,slow50=1+8*f,fail=.07*b.stp(T+2,2)); b.svc2("school-mobile","otel",rps=50,p50=30,p99=240,slow=1+10*f,slow50=1+6*f,fail=.06*b.stp(T+2,2))
b.g("pgbouncer",'pools_client_waiting{db="school"}',.1,.4,add=120*f,dec=0); b.g("pgbouncer",'pools_server_active{db="school"}',27,.1,1-.7*f,hi=80,dec=0); b.g("pgbouncer",'pools_server_idle{db="school"}',38,.06,1-.998*f,dec=0); b.g("pgbouncer","stats_avg_wait_time_us",240,.2,add=1.4e6*f,dec=0); b.g("pgbouncer","stats_avg_query_time_us",3100,.08,dec=0); b.put("pgbouncer",'databases_pool_size{db="school"}',np.where(b.m<D+.4,80,8)); b.k("pgbouncer",'databases_pool_size{db="reports"}',10); b.g("pgbouncer","cpu_percent",12,.1); b.g("pgbouncer",'pools_client_waiting{db="reports"}',.1,.4,dec=0)
b.pg("school-pg",active=24,tps=520,tpsm=1-.3*f,cpu=44,cpum=1-.35*f,lat=3.1); b.g("grade-worker","jobs_done_per_min",44,.1,1-.55*f); b.g("grade-worker","jobs_waiting",9,.3,add=300*b.ramp(T,120),dec=0)
b.host_noise("backup-host")
for c,s,n in (("school-web","django",420),("parent-api","django",280),("school-mobile","mobile",240),("grade-worker","celery",180),("pgbouncer","postgres",60),("school-pg","postgres",110)): b.chat(c,s,n)
b.log("pgbouncer",D+.3,"LOG","got SIGHUP, re-reading config"); b.burst("pgbouncer","WARNING",["C-0x{hex}: school/app@{ip}:{n} closing because: query_wait_timeout (age=15s)","pool school/app: {n} clients wait for one of 8 server connections"],T+1,120,4); b.burst("school-web","ERROR","django.db.utils.OperationalError: query_wait_timeout, server closed the connection unexpectedly",T+2,120,5); b.burst("parent-api","ERROR","OperationalError: query_wait_timeout GET /api/children/",T+2,120,4)
p="pgbouncer/pgbouncer.ini"
b.change("cf-19","config",D,"pgbouncer","t.farkas","pgbouncer: own pool for reports, tidy defaults",[p],diff(p,"""
@@ -1,12 +1,13 @@
 [databases]
-school = host=school-pg port=5432 dbname=school pool_size=80
+school = host=school-pg port=5432 dbname=school
+reports = host=school-pg port=5432 dbname=school pool_size=10
 
 [pgbouncer]
 pool_mode = transaction
 max_client_conn = 2000
-default_pool_size = 40
-reserve_pool_size = 10
+default_pool_size = 8
+reserve_pool_size = 0
 query_wait_timeout = 15
"""))
b.change("sw-410","deploy",T-1.5,"school-web","m.oduya","school-web 410: timetable export as ics",["timetable/ics.py"],diff("timetable/ics.py","@@ -0,0 +1,6 @@\n+def export(lessons):\n+    lines = ['BEGIN:VCALENDAR', 'VERSION:2.0']\n+    for lesson in lessons:\n+        lines += lesson.as_event()\n+    lines.append('END:VCALENDAR')\n+    return '\\r\\n'.join(lines)\n"),commit=b.sha()); b.inn("sw-409","py-admin",12,"school-web","m.oduya"); b.inn("pa-77","py-log",T-19,"parent-api","m.oduya"); b.change("sw-411","deploy",T+16,"school-web","m.oduya","Roll back school-web to 409",[],None,commit=b.sha()); b.inn("cf-20","tf-alarm",T+29,"school-pg","platform-bot",kind="config")
b.alert("WebLatency","school-web",T+3,"critical","p95 of school-web above 1 s"); b.alert("ParentLatency","parent-api",T+3.2,"warning","p95 of parent-api above 1 s")
b.expect("pool too small",["configuration"],["pgbouncer"],"cf-19",["sw-410","sw-411","pa-77"],T,(D,T+2),why="pool_size metric of db school drops from 80 to 8 at cf-19's reload, clients wait while the database idles; rollback of the web did not help.")
b.write(logs=False)
