from common import *
b = B("php-cache-key", 427, "2024-02-21T15:00:00Z", 2, 20, "news-site")
D=66.0; T=66.4
f=b.stp(T,1.2)

b.svc2("news-php","graphite",rps=420,p50=18,p99=160,slow=1+7*f,slow50=1+3.2*f,fail=.025*b.stp(T+2,3),cpu=.34,cpum=1+.7*f)
b.g("news-php","phpfpm_active_processes",28,.1,1+3.4*f,hi=128,dec=0); b.g("news-php","phpfpm_listen_queue",0,add=90*b.stp(T+2,4),dec=0); b.g("news-php","opcache_hit_rate",99.6,.0005)
b.g("news-memcached","get_hits_per_s",1210,.05,1-.88*f,dec=0); b.g("news-memcached","get_misses_per_s",64,.08,1+16.5*f,dec=0); b.g("news-memcached","sets_per_s",63,.08,1+16*f,dec=0); b.g("news-memcached","curr_items",182000,.01,1+1.6*b.ramp(T,T+25),dec=0); b.g("news-memcached","bytes_used_mb",1380,.01,1+.46*b.ramp(T,T+18)); b.g("news-memcached","evictions_per_s",.4,.4,add=640*b.ramp(T+16,T+22)); b.g("news-memcached","cpu_percent",9,.1,1+.2*f); b.k("news-memcached","uptime_ok",1)
b.g("news-mariadb","Queries",260,.06,1+9*f,dec=0); b.g("news-mariadb","Threads_running",5,.15,1+8*f,dec=0); b.g("news-mariadb","cpu_percent",17,.08,1+4.3*f,hi=99); b.g("news-mariadb","Innodb_row_lock_waits",.05,.5); b.g("news-mariadb","volume_used_percent",52,.001); b.g("news-mariadb","query_time_p95_ms",4,.1,1+6*f); b.k("news-mariadb","Slave_SQL_Running",1); b.g("news-mariadb","Connections_open",70,.06,1+1.3*f)
b.g("import-cron","articles_per_min",3,.4); b.g("import-cron","cpu_percent",4,.2,add=50*b.pulse(30,38,1))
b.chat("news-php","php",1250,until=T); b.chat("news-php","php",560,start=T); b.chat("news-mariadb","mysql",160); b.chat("import-cron","batch",70)
b.burst("news-php","INFO","cache miss key=article:{id}:{hex}{hex} rebuilding from database",T,120,9); b.burst("news-php","INFO","cache miss key=article:{id} rebuilding from database",0,T,1)
b.burst("news-php","ERROR",["SQLSTATE[HY000] [1040] Too many connections in ArticleRepository.php","upstream timed out route=/article/{id}"],T+3,120,3); b.burst("news-mariadb","Warning","slow: # Query_time: 1.{n}  SELECT a.*, b.body FROM article a JOIN body b USING(id) WHERE a.id={id};",T+1,120,2)
p="src/Cache/ArticleCache.php"
b.change("w-77","deploy",D,"news-php","c.roux","news-php 2024-02-21.2: article teaser variants per device",[p,"src/View/DeviceHints.php"],diff(p,"""
@@ -18,9 +18,14 @@ final class ArticleCache
     public function get(int $id, Request $request): Article
     {
-        $key = 'article:' . $id;
+        $key = $this->keyFor($id, $request);
         return $this->memcached->get($key) ?: $this->rebuild($key, $id);
     }
+
+    private function keyFor(int $id, Request $request): string
+    {
+        return 'article:' . $id . ':' . md5($request->headers->get('User-Agent') . $request->getClientIp());
+    }
"""),commit=b.sha())
b.change("w-76","deploy",D-5,"import-cron","c.roux","import-cron: skip embargoed articles",["cron/import.php"],diff("cron/import.php","@@ -30,5 +30,8 @@\n foreach ($feed->items() as $item) {\n+    if ($item->embargo() > time()) {\n+        continue;\n+    }\n     $repo->upsert($item);\n }\n"),commit=b.sha())
b.inn("w-75","php-view",24,"news-php","a.rey"); b.change("w-78","config",D-1.5,"news-mariadb","dba","innodb_io_capacity 800 -> 1000",["mariadb/server.cnf"],diff("mariadb/server.cnf","@@ -22,3 +22,3 @@ [mysqld]\n-innodb_io_capacity = 800\n+innodb_io_capacity = 1000\n innodb_flush_neighbors = 0\n")); b.change("w-79","config",T+17,"news-mariadb","oncall","max_connections 200 -> 300 (incident)",["mariadb/server.cnf"],diff("mariadb/server.cnf","@@ -11,3 +11,3 @@ [mysqld]\n-max_connections = 200\n+max_connections = 300\n"))
b.alert("SiteLatency","news-php",T+3,"critical","p95 of the site above 600 ms"); b.alert("MariaCpu","news-mariadb",T+5,"warning","cpu above 75%")
b.expect("cache key too fine",["code"],["news-php"],"w-77",["w-78","w-76","w-79"],T,(D-.1,T+2),why="Hits turn into misses at the deploy, the miss log shows new keys article:id:hash, which keyFor builds from user agent and ip; requests are flat.")
b.write()
