# Go: TTL given in seconds to an API that takes milliseconds -> cache useless -> Postgres load. Database alarms. Second, unrelated anomaly: kafka broker disk (reassign). Feature flag decoy.
from common import *
b = Bundle("profile-ttl-unit", 317, "2025-02-04T17:00:00Z", 2, 20, "mobile-backend", ["feed", "profile", "badges", "friends", "settings"])
ON = 53; s = b.stp(ON, 1.2)
b.svc("mobile-gw", "prom", 350, 30, 210, slow=1 + 1.8 * s); b.svc("profile-svc", "prom", 310, 5, 60, slow=1 + 3.5 * s, slow50=1 + 5 * s, cpum=1 + .5 * s); b.g("profile-svc", "cache_hit_ratio", .965, .006, 1 - .93 * s, hi=1, dec=3); b.svc("feed-svc", "prom", 190, 25, 180, slow=1 + 1.5 * s, fail=.01 * s); b.svc("flag-svc", "prom", 400, 2, 12)
b.g("redis-profile", "redis_ops", 9000, .05, 1 + .9 * s); b.g("redis-profile", "redis_expired_keys_rate", 11, .15, 1 + 24 * s); b.g("redis-profile", "redis_used_memory_mb", 1700, .01, 1 - .8 * b.stp(ON, 15), phi=.9); b.g("redis-profile", "redis_db_keys", 820000, .01, 1 - .9 * b.stp(ON, 15), dec=0)
b.g("pg-profile", "cpu_percent", 21, .07, 1 + 3.5 * b.stp(ON, 2), hi=99); b.g("pg-profile", "connections", 80, .05, 1 + 2.4 * s, hi=300, dec=0); b.c("pg-profile", "xact_commit", 90, mul=1 + 12 * s); b.g("pg-profile", "read_iops", 300, .15, 1 + 7 * s); b.k("pg-profile", "deadlocks", 0)
b.g("kafka-2", "disk_used_ratio", .61, .003, add=.24 * b.ramp(44, 100), phi=.9); b.g("kafka-2", "net_in_mbit", 210, .08, add=480 * b.pulse(44, 101, 1)); b.g("kafka-1", "disk_used_ratio", .66, .003, phi=.9); b.g("kafka-1", "under_replicated_partitions", 0, add=14 * b.pulse(44, 101, 1), floor=0, dec=0); b.svc("push-svc", "statsd", 40, 30, 190)
b.chat("mobile-gw", "mobile", 420); b.chat("profile-svc", "go", 340); b.chat("feed-svc", "go", 180); b.chat("pg-profile", "postgres", 80); b.chat("redis-profile", "redis", 12); b.log("kafka-1", 44, "INFO", "reassigning 14 partitions of topic feed-events to broker 2 (requested by operator)"); b.log("kafka-1", 101, "INFO", "reassignment complete")
b.burst("pg-profile", "LOG", "duration: 2{d}1 ms  statement: SELECT id, handle, avatar, badges FROM profile WHERE id = $1", ON, b.mins, 3); b.burst("profile-svc", "warn", "db query slow op=ProfileByID dur={n}ms", ON + 1, b.mins, 1.5)
sha = b.change("m-3097", "commit", 33, "profile-svc", "ylva", "Move profile cache to the shared cache client", ["profile/cache.go", "go.mod"], diff("profile/cache.go", '''@@ -3,23 +3,21 @@ package profile
-import "github.com/redis/go-redis/v9"
+import "internal/sharedcache"
 
-const ttl = 15 * time.Minute
+const ttlSeconds = 900
 
 type cache struct {
-	r *redis.Client
+	c *sharedcache.Client
 }
 
 func (c *cache) put(ctx context.Context, p *Profile) error {
-	return c.r.Set(ctx, key(p.ID), encode(p), ttl).Err()
+	// sharedcache.Put(ctx, key, value, ttlMillis)
+	return c.c.Put(ctx, key(p.ID), encode(p), ttlSeconds)
 }
''')); b.change("m-rel-77", "deploy", 52, "profile-svc", "argo", "profile-svc 77", commit=sha)
b.change("fl-badges", "flag", 51.5, "mobile-gw", "product", "ios: badges on friends page 5% -> 25%"); b.change("m-rel-78", "deploy", 50, "feed-svc", "argo", "feed-svc 78: prefetch profiles of the first page", ["feed/prefetch.go"], diff("feed/prefetch.go", '''@@ -11,4 +11,7 @@ func (f *Feed) first(ctx context.Context, u string) ([]Item, error) {
+	ids := authors(items[:min(10, len(items))])
+	f.profiles.Warm(ctx, ids)
 	return items, nil
''')); b.change("kf-12", "config", 43, "kafka-1", "platform", "move 14 partitions of feed-events to broker 2", ["kafka/reassign.json"], None); b.change("m-3101", "commit", 70, "push-svc", "omar", "push: retry once", ["push/send.go"], None); b.change("pg-cfg-5", "config", 21, "pg-profile", "dba", "random_page_cost 4 -> 1.1", ["pg/profile.conf"], None)
b.alert("ProfileDbCpu", "pg-profile", 57, "critical", "CPU above 80% for 2 min", label="instance"); b.alert("KafkaUnderReplicated", "kafka-1", 50, "warning", "14 partitions under-replicated", label="instance"); b.alert("GatewayP99", "mobile-gw", 59, "warning", "p99 above 400 ms")
b.edges = [["mobile-gw", "profile-svc"], ["mobile-gw", "feed-svc"], ["mobile-gw", "flag-svc"], ["feed-svc", "profile-svc"], ["profile-svc", "redis-profile"], ["profile-svc", "pg-profile"], ["feed-svc", "kafka-1"], ["feed-svc", "kafka-2"], ["push-svc", "kafka-1"]]
b.expect("code_unit_mismatch", ["code"], ["profile-svc"], "m-3097", ["fl-badges", "m-rel-78", "kf-12", "pg-cfg-5", "m-3101"], ON, [ON - 1, ON + 3], change_also=["m-rel-77"], why="Hit ratio collapses with expired keys x25 and no more requests: 900 is handed to a parameter in milliseconds; the kafka reassignment is a separate operator action that started 9 minutes earlier.")
b.write(opened=58, logs=False)
