from common import *
b = B("migration-backfill-lock", 425, "2024-09-17T08:00:00Z", 1.75, 20, "shared-postgres")
D=49.2; T=49.5; E=74
f=b.stp(T,.6)*(1-b.stp(E,.5))
b.edges=[["booking-api","core-pg"],["guest-api","core-pg"],["housekeeping-worker","core-pg"],["frontdesk-web","booking-api"],["frontdesk-web","guest-api"],["channel-manager","booking-api"]]
b.svc2("frontdesk-web","otel",rps=48,p50=60,p99=500,slow=1+11*f,fail=.2*f); b.svc("booking-api","micrometer",rps=42,p50=18,p99=150,slow=1+60*f,slow50=1+9*f,fail=.3*f); b.svc("guest-api","micrometer",rps=28,p50=12,p99=90,slow=1+1.2*f); b.svc2("channel-manager","graphite",rps=15,p50=70,p99=600,slow=1+8*f,fail=.25*f)
b.pg("core-pg",active=7,act_add=74*f,tps=320,tpsm=1-.45*f,cpu=30,cpum=1+.2*f,latm=1+25*f,locks=66*f); b.g("core-pg","longest_transaction_s",2,.4,add=1400*np.clip((b.m-T)/25,0,1)*(b.m<E)); b.g("core-pg",'pg_locks{mode="AccessExclusiveLock"}',0,add=2*f,dec=0)
b.g("housekeeping-worker","jobs_done_per_min",36,.1,1-.3*f); b.g("housekeeping-worker","rss_mb",270,.02)
b.host_noise("bi-vm")
for c,s,n in (("frontdesk-web","node",320),("booking-api","spring",300),("guest-api","spring",240),("channel-manager","go",180),("core-pg","postgres",160),("housekeeping-worker","worker",120)): b.chat(c,s,n)
b.burst("core-pg","LOG",["process {id} still waiting for RowExclusiveLock on relation 16811 of database app after 1000.1 ms (relation \"booking\")","process {id} still waiting for AccessShareLock on relation \"booking\" after 1000.4 ms; holder: UPDATE booking SET rate_plan_code"],T+.1,E,6)
b.burst("booking-api","ERROR",["org.springframework.dao.QueryTimeoutException: canceling statement due to statement timeout (booking)","HikariPool-1 - Connection is not available, request timed out after 5000ms"],T+.4,E+.4,6); b.burst("channel-manager","warn","push of availability to booking-api failed: 503",T+.7,E+.5,3)
b.log("booking-api",T-.2,"INFO","Flyway: Migrating schema \"public\" to version 88 - booking rate plan code"); b.log("core-pg",E,"ERROR","canceling statement due to user request (pg_cancel_backend): UPDATE booking SET rate_plan_code")
p="src/main/resources/db/migration/V88__booking_rate_plan_code.sql"
b.change("b-88","deploy",D,"booking-api","o.marin","booking-api 4.9.0: rate plan code on bookings",[p,"src/main/java/hotel/booking/Booking.java"],diff(p,"""
@@ -0,0 +1,9 @@
+BEGIN;
+ALTER TABLE booking ADD COLUMN rate_plan_code varchar(16);
+UPDATE booking SET rate_plan_code = (
+    SELECT rp.code FROM rate_plan rp WHERE rp.id = booking.rate_plan_id
+);
+ALTER TABLE booking ALTER COLUMN rate_plan_code SET NOT NULL;
+CREATE INDEX ix_booking_rate_plan_code ON booking (rate_plan_code);
+COMMIT;
"""),commit=b.sha())
b.change("b-89","deploy",T-2.4,"guest-api","l.sato","guest-api 2.13: passport country optional",["src/main/java/hotel/guest/GuestForm.java"],diff("src/main/java/hotel/guest/GuestForm.java","@@ -12,5 +12,5 @@ public record GuestForm(\n     @NotBlank String lastName,\n-    @NotBlank String passportCountry,\n+    @Nullable String passportCountry,\n     @Email String mail) {}\n"),commit=b.sha())
b.inn("b-86","ts-copy",15,"frontdesk-web","web-team"); b.inn("b-87","sql-comment",27,"core-pg","o.marin",kind="commit"); b.inn("b-90","go-retry",T+6,"channel-manager","l.sato"); b.inn("b-91","helm-hpa",T+13,"booking-api","oncall",kind="config")
b.alert("BookingLatency","booking-api",T+2.2,"critical","p95 of booking-api above 2 s"); b.alert("FrontdeskErrors","frontdesk-web",T+3,"critical","frontdesk-web errors above 5%"); b.alert("DbLocks","core-pg",T+2.6,"warning","More than 20 waiting locks")
b.expect("migration holds a lock",["code"],["core-pg","booking-api"],"b-88",["b-89","b-90"],T,(D-.1,T+2),why="Sessions wait for locks on booking whose holder is UPDATE booking SET rate_plan_code, the statement of migration V88; cancelling it cured all.")
b.write()
