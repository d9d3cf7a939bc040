# Log volume fills the disk of one Cassandra node (audit log kept after a months old setting); no recorded change. Decoys: unlogged batch writes, deploys seconds before.
from common import *
b = Bundle("cassandra-commitlog-disk", 306, "2025-07-08T18:00:00Z", 5, 60, "telemetry-store", ["readings", "devices", "rollups", "heartbeats", "firmware"])
ON = 193; s = b.stp(ON, 3)
for i in (1, 2, 3, 4):
    k = f"cassandra-{i}"; bad = i == 3
    b.g(k, "node_filesystem_avail_gib{mount=/var}", 0, add=np.clip(38 - 38 * b.m / ON, 0.01, 99) if bad else 61 - .012 * b.m, floor=.05, dec=2); b.g(k, "node_filesystem_avail_gib{mount=/data}", 880, .002, phi=.9)
    b.g(k, "ClientRequest.Write.Latency.p99_ms", 9, .15, 1 + (14 * s if bad else 1.2 * s)); b.g(k, "PendingTasks.MutationStage", 1, .8, add=(900 if bad else 30) * s, dec=0); b.c(k, "DroppedMessage.Mutation", .01, add=(60 if bad else 2.5) * s, start=40); b.g(k, "PendingCompactions", 14, .3, 1 + (6 * b.pulse(60, 120, 6) if i == 1 else 0), dec=0)
b.put("cassandra-3", "gossip_alive", 1 - b.stp(ON + 6)); b.put("cassandra-1", "gossip_alive", np.ones(b.n))
b.svc("ingest-api", "dd", 600, 8, 70, slow=1 + 6 * s, fail=.09 * s, cpum=1 + .3 * s); b.svc("device-api", "dd", 120, 25, 170, slow=1 + 4 * s, fail=.07 * s); b.svc("rollup-job", "statsd", 6, 900, 4200, slow=1 + 1.5 * s); b.g("kafka-readings", "consumer_group_lag", 1800, .3, add=260000 * b.ramp(ON, 300), dec=0); b.svc("alert-engine", "prom", 20, 14, 90)
b.chat("cassandra-1", "cassandra", 150); b.chat("cassandra-3", "cassandra", 200, until=ON + 4); b.chat("ingest-api", "spring", 330); b.chat("device-api", "go", 200); b.chat("rollup-job", "go", 80)
b.burst("cassandra-3", "INFO", "BinAuditLogger rolled segment /var/log/cassandra/audit/{hex}.cq4 kept (archive_command empty)", 0, ON, .25)
b.burst("cassandra-3", "ERROR", ["java.io.IOException: No space left on device\n\tat java.base/sun.nio.ch.FileDispatcherImpl.write0(Native Method)\n\tat net.openhft.chronicle.queue.impl.single.SingleChronicleQueueExcerpts.append", "Stopping gossiper; commit disk failure policy is stop: FSWriteError in /var/lib/commitlog"], ON, ON + 7, 4)
b.burst("ingest-api", "ERROR", ["WriteTimeoutException: Cassandra timeout during SIMPLE write query at consistency LOCAL_QUORUM (2 replica were required but only 1 acknowledged)", "NodeUnavailableException: No connection was available to /10.8.0.13"], ON + .5, b.mins, 4); b.burst("device-api", "error", "query readings: gocql: no response received from cassandra within timeout period", ON + 1, b.mins, 2); b.burst("cassandra-1", "INFO", "InetAddress /10.8.0.13 is now DOWN", ON + 6, ON + 9, 1)
c = b.change("4b8e", "commit", 150, "ingest-api", "petra", "Write readings as unlogged batches per device", ["src/main/java/ingest/ReadingWriter.java"], diff("src/main/java/ingest/ReadingWriter.java", '''@@ -51,8 +51,11 @@ public class ReadingWriter {
-    for (Reading r : readings) {
-      session.execute(insert.bind(r.device(), r.at(), r.value()));
-    }
+    BatchStatementBuilder batch = BatchStatement.builder(BatchType.UNLOGGED);
+    for (Reading r : readings) {
+      batch.addStatement(insert.bind(r.device(), r.at(), r.value()));
+    }
+    session.execute(batch.build());
'''))
b.change("ing-2.40", "deploy", 191, "ingest-api", "spinnaker", "ingest-api 2.40.0", commit=c); b.change("dev-1.9", "deploy", 166, "device-api", "spinnaker", "device-api 1.9.3", ["query/readings.go"], None)
b.change("cas-tune-8", "config", 55, "cassandra-1", "dba", "compaction_throughput 64 -> 96 MiB/s on the ring", ["cassandra/cassandra.yaml"], diff("cassandra/cassandra.yaml", '''@@ -610,3 +610,3 @@
-compaction_throughput: 64MiB/s
+compaction_throughput: 96MiB/s
'''))
b.change("fl-fw", "flag", 185, "device-api", "product", "firmware advisory for model X2: 10%"); b.change("roll-77", "deploy", 214, "rollup-job", "spinnaker", "rollup-job 7.7")
b.alert("IngestWriteErrors", "ingest-api", 197, "critical", "write errors above 2%"); b.alert("ReadingsLag", "kafka-readings", 206, "warning", "lag above 50k", label="job"); b.alert("CassandraNodeDown", "cassandra-3", 201, "critical", "gossip marks node as down", label="instance")
b.edges = [["ingest-api", f"cassandra-{i}"] for i in (1, 2, 3, 4)] + [["device-api", "cassandra-3"], ["device-api", "cassandra-1"], ["rollup-job", "cassandra-1"], ["ingest-api", "kafka-readings"], ["alert-engine", "device-api"]]
b.expect("capacity_disk", ["capacity", "infrastructure"], ["cassandra-3"], None, ["ing-2.40", "4b8e", "dev-1.9", "fl-fw", "cas-tune-8"], ON, [ON - 2, ON + 3], why="/var on cassandra-3 falls in a straight line all afternoon (audit segments never archived) and hits zero at 21:13 with 'No space left on device' on that node alone; the batch deploy came 2 minutes before by accident, the slope is hours old.")
b.write(opened=199)
