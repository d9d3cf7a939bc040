# Java Spring + Hikari. Connection leak on an early return, 1.4 h until the pool is empty. Portal (caller) alarms and looks worst. Decoys: portal deploy a minute before, pool config elsewhere.
from common import *
b = Bundle("hikari-invoice-leak", 314, "2025-10-21T06:00:00Z", 4, 30, "billing-suite", ["invoices", "dunning", "ledgers", "exports"])
DEP = 61; ON = 148; a = np.clip((b.m - DEP) / (ON - DEP), 0, 1); s = b.stp(ON, 2)
b.svc("portal", "micrometer", 70, 60, 400, slow=1 + 20 * s, fail=.3 * b.stp(ON + 1, 2), traffic=b.day(.15, 170)); b.svc("invoice-svc", "micrometer", 30, 35, 260, slow=1 + 13 * s, fail=.13 * b.stp(ON + 1, 2)); b.g("invoice-svc", "hikaricp_connections_active", 3, .3, add=17.2 * a, hi=20, dec=0); b.g("invoice-svc", "hikaricp_connections_pending", .05, 1, add=38 * s, dec=0); b.k("invoice-svc", "hikaricp_connections_max", 20); b.g("invoice-svc", "hikaricp_connections_usage_seconds_max", .4, .3)
b.svc("dunning-svc", "micrometer", 8, 40, 300); b.g("dunning-svc", "hikaricp_connections_active", 4, .3, dec=0, hi=15); b.k("dunning-svc", "hikaricp_connections_max", 15); b.svc("customer-svc", "micrometer", 45, 12, 90); b.svc("mail-svc", "statsd", 5, 90, 600, traffic=1 - .5 * s)
b.g("pg-billing", "pg_connections_idle", 30, .04, add=-9 * a, dec=0); b.g("pg-billing", "pg_connections_idle_in_transaction", .4, 1, add=16.5 * a, dec=0); b.g("pg-billing", "pg_cpu", .21, .07); b.c("pg-billing", "pg_xact_commit", 210, mul=1 - .3 * s); b.g("pg-billing", "pg_oldest_xact_age_s", 3, .5, add=60 * np.clip(b.m - DEP - 3, 0, None) * 1); b.g("customer-svc", "cache_evictions", 3, .4, 1 + 9 * b.pulse(118, 131, 1))
b.chat("portal", "spring", 300); b.chat("invoice-svc", "spring", 320); b.chat("customer-svc", "spring", 120); b.chat("dunning-svc", "spring", 90); b.chat("pg-billing", "postgres", 60)
b.burst("invoice-svc", "INFO", "export skipped, nothing to render for account {id}", DEP, ON, .22); b.burst("invoice-svc", "INFO", "export skipped, nothing to render for account {id}", 0, DEP, .22); b.burst("invoice-svc", "ERROR", "org.springframework.jdbc.CannotGetJdbcConnectionException: Failed to obtain JDBC Connection; nested exception is java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 10000ms (total=20, active=20, idle=0, waiting={d})\n\tat com.zaxxer.hikari.pool.HikariPool.createTimeoutException\n\tat org.springframework.jdbc.datasource.DataSourceUtils.getConnection", ON + .2, b.mins, 2.5); b.burst("portal", "ERROR", ["feign.RetryableException: Read timed out executing GET http://invoice-svc/invoices?account={id}", "504 GET /account/{id}/overview"], ON + .3, b.mins, 5)
sha = b.change("b61f0", "commit", 40, "invoice-svc", "edda", "Split the export into reader and renderer", ["src/main/java/inv/ExportReader.java", "src/main/java/inv/ExportService.java"], diff("src/main/java/inv/ExportReader.java", '''@@ -0,0 +1,24 @@
+public class ExportReader {
+  private final DataSource ds;
+
+  public Optional<ExportRows> read(long account, Period p) throws SQLException {
+    Connection con = ds.getConnection();
+    con.setAutoCommit(false);
+    PreparedStatement st = con.prepareStatement(SQL);
+    st.setLong(1, account);
+    st.setObject(2, p.from());
+    ResultSet rs = st.executeQuery();
+    if (!rs.next()) {
+      log.info("export skipped, nothing to render for account {}", account);
+      return Optional.empty();
+    }
+    ExportRows rows = ExportRows.from(rs);
+    con.commit();
+    con.close();
+    return Optional.of(rows);
+  }
+}'''))
b.change("dep-inv-77", "deploy", DEP, "invoice-svc", "jenkins", "invoice-svc 7.7", commit=sha)
b.change("dun-pool", "config", 104, "dunning-svc", "edda", "dunning: maximumPoolSize 20 -> 15, leakDetectionThreshold 30s", ["config/dunning/application.yml"], diff("config/dunning/application.yml", '''@@ -9,4 +9,5 @@ spring.datasource.hikari:
-  maximumPoolSize: 20
+  maximumPoolSize: 15
+  leakDetectionThreshold: 30000
   connectionTimeout: 10000
'''))
b.change("dep-portal-301", "deploy", 147, "portal", "jenkins", "portal 30.1: account overview loads invoices in parallel", ["src/main/java/portal/Overview.java"], diff("src/main/java/portal/Overview.java", '''@@ -44,6 +44,8 @@ class Overview {
-    var inv = invoices.list(account);
-    var cust = customers.get(account);
+    var inv = async(() -> invoices.list(account));
+    var cust = async(() -> customers.get(account));
+    join(inv, cust);
''')); b.change("dep-cus-12", "deploy", 117, "customer-svc", "jenkins", "customer-svc 12.3", []); b.change("inv-c-9", "config", 139, "invoice-svc", "edda", "export: page size 500", ["config/invoice/application.yml"], None)
b.alert("PortalErrors", "portal", 151, "critical", "portal 5xx > 10%"); b.alert("PortalLatency", "portal", 152, "critical", "portal p95 > 2 s")
b.edges = [["portal", "invoice-svc"], ["portal", "customer-svc"], ["invoice-svc", "pg-billing"], ["dunning-svc", "pg-billing"], ["dunning-svc", "invoice-svc"], ["invoice-svc", "mail-svc"]]
b.expect("code_connection_leak", ["code"], ["invoice-svc"], "b61f0", ["dep-portal-301", "dun-pool", "inv-c-9", "dep-cus-12"], ON, [DEP, ON + 3], change_also=["dep-inv-77"], why="Active connections and idle-in-transaction climb straight from 07:01 (invoice-svc 7.7) until the 20 are gone at 08:28; the reader returns early without close; the portal deploy a minute before does not explain a line 87 minutes old.", delayed=True)
b.write(opened=152)
