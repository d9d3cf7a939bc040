# .NET + SQL Server. Migration rebuilds a table and loses a filtered index. Alarm on settlement caller. No logs of file. Decoy deploys of trade-api just before.
from common import *
b = Bundle("mssql-migration-index", 318, "2025-09-17T13:00:00Z", 3, 30, "brokerage", ["trades", "positions", "orders", "allocations", "fills"])
ON = 68; s = b.stp(ON, 2); d = b.day(.2, 100, 700)
b.svc("trade-api", "cw", 55, 28, 220, traffic=d, slow=1 + 6 * s, fail=.05 * b.stp(ON + 5, 3)); b.svc("position-svc", "cw", 40, 24, 200, traffic=d, slow=1 + 9 * s, fail=.12 * b.stp(ON + 5, 3)); b.svc("settlement-svc", "cw", 12, 80, 500, traffic=d, slow=1 + 12 * s, fail=.2 * b.stp(ON + 6, 3)); b.svc("ref-data", "cw", 60, 9, 70, traffic=d); b.svc("web-terminal", "cw", 90, 50, 300, traffic=d, slow=1 + 2.2 * s, fail=.03 * b.stp(ON + 6, 3))
b.g("sql-trade", "Processor Time %", 34, .06, d * (1 + 1.7 * s), hi=100); b.g("sql-trade", "Full Scans/sec", 3, .3, add=64 * s); b.g("sql-trade", "Index Searches/sec", 6200, .06, d * (1 - .3 * s)); b.g("sql-trade", "Page life expectancy", 5200, .03, 1 - .93 * s); b.g("sql-trade", "Batch Requests/sec", 1900, .05, d * (1 - .2 * s)); b.g("sql-trade", "Lock Waits/sec", .6, .6, add=19 * s); b.g("sql-trade", "Page reads/sec", 120, .25, 1 + 40 * s); b.k("sql-trade", "Number of Deadlocks/sec", 0, 2); b.g("sql-trade", "User Connections", 210, .03, 1 + .6 * s, dec=0); b.g("sql-trade", "Log Flushes/sec", 240, .1, 1 + 5 * b.pulse(66.5, 68, .3))
b.g("sql-report", "Processor Time %", 18, .1, 1 + 2.6 * b.pulse(30, 55, 2)); b.g("ref-data", "ThreadPool Queue Length", .2, 1.2)
b.chat("trade-api", "dotnet", 330); b.chat("position-svc", "dotnet", 230); b.chat("settlement-svc", "dotnet", 140); b.chat("sql-trade", "mssql", 130)
b.burst("position-svc", "Error", "Microsoft.Data.SqlClient.SqlException (0x80131904): Execution Timeout Expired. The timeout period elapsed prior to completion of the operation\n   at Brokerage.Positions.PositionReader.OpenByAccount(Int32 accountId)\n   at Brokerage.Positions.PositionController.Get(Int32 accountId)", ON + 5, b.mins, 2); b.burst("settlement-svc", "Error", ["Polly: Timeout after 10 s calling position-svc /positions/open", "Settlement batch {id} postponed: position-svc 504"], ON + 6, b.mins, 3); b.burst("sql-trade", "Warning", "Query Store: regressed plan for query_id 8812 SELECT ... FROM trd.Allocation WHERE AccountId=@a AND ClosedAt IS NULL: Clustered Index Scan (was Index Seek), logical reads 41 -> 388{n}", ON + 3, b.mins, .25)
b.log("sql-trade", 66.6, "Information", "DDL: schema trd by svc_migrate begin"); b.log("sql-trade", 67.9, "Information", "DDL: schema trd by svc_migrate end (76 s)")
b.change("mig-212", "deploy", 66.5, "trade-db", "octo", "migrate V212: Allocation.Quantity decimal(28,10)", ["migrations/V212__allocation_quantity.sql"], diff("migrations/V212__allocation_quantity.sql", '''@@ -0,0 +1,22 @@
+CREATE TABLE trd.Allocation_new (
+  AllocationId bigint NOT NULL CONSTRAINT PK_Allocation_n PRIMARY KEY CLUSTERED,
+  AccountId    int NOT NULL,
+  TradeId      bigint NOT NULL,
+  Quantity     decimal(28,10) NOT NULL,
+  ClosedAt     datetime2(3) NULL
+);
+INSERT INTO trd.Allocation_new WITH (TABLOCK)
+SELECT AllocationId, AccountId, TradeId, Quantity, ClosedAt FROM trd.Allocation;
+
+BEGIN TRAN;
+  EXEC sp_rename 'trd.Allocation', 'Allocation_old';
+  EXEC sp_rename 'trd.Allocation_new', 'Allocation';
+COMMIT;
+CREATE INDEX IX_Allocation_Trade ON trd.Allocation (TradeId);
+DROP TABLE trd.Allocation_old;
'''))
b.change("TR-4414", "commit", 40, "position-svc", "mirja", "positions: raise command timeout to 15 s for full exports", ["Positions/ExportReader.cs"], diff("Positions/ExportReader.cs", '''@@ -29,5 +29,6 @@ public sealed class ExportReader
         using var cmd = con.CreateCommand();
         cmd.CommandText = ExportSql;
+        cmd.CommandTimeout = 15;
         await using var r = await cmd.ExecuteReaderAsync(ct);
''')); b.change("pos-rel-90", "deploy", 67.5, "position-svc", "octo", "position-svc 9.0", commit=b.chg[-1][1]["commit"]); b.change("tr-rel-151", "deploy", 64, "trade-api", "octo", "trade-api 15.1", ["Trade/Controllers/Orders.cs"], None); b.change("rep-cfg", "config", 29, "sql-report", "dba", "report subscription moved to 13:30", [], None); b.change("fl-depth", "flag", 60, "web-terminal", "product", "order depth widget: 10% of desks"); b.change("ref-rel-7", "deploy", 95, "ref-data", "octo", "ref-data 7.0")
b.alert("SettlementErrors", "settlement-svc", 76, "critical", "HTTPCode_Target_5XX over 10%"); b.alert("PositionsLatency", "position-svc", 72, "warning", "TargetResponseTime > 0.2 s")
b.edges = [["web-terminal", "trade-api"], ["trade-api", "position-svc"], ["settlement-svc", "position-svc"], ["position-svc", "sql-trade"], ["trade-api", "sql-trade"], ["trade-api", "ref-data"]]
b.expect("code_lost_index", ["code"], ["sql-trade", "trade-db"], "mig-212", ["pos-rel-90", "TR-4414", "tr-rel-151", "rep-cfg", "fl-depth", "ref-rel-7"], ON, [ON - 2, ON + 5], why="Full scans and the regressed plan on Allocation(AccountId, ClosedAt IS NULL) begin when V212 ends; the rebuilt table gets only the TradeId index back; the position-svc deploy touches the export only.")
b.write(opened=73)
