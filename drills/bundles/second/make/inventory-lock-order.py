# Go gRPC with a mesh; deadlocks by lock order. checkout (caller) looks worst. Metrics from the mesh. Decoy: mesh retry config. No topology; spans.
from common import *
b = Bundle("inventory-lock-order", 319, "2025-11-28T07:00:00Z", 2, 20, "outdoor-shop", ["stock", "carts", "reservations", "warehouses"])
ON = 51; s = b.stp(ON, 2); d = b.day(.2, 70, 400)
for k, r, p50, p99, sl, fl in (("checkout", 40, 60, 400, 11, .18), ("inventory", 70, 9, 80, 13, .11), ("cart", 120, 8, 70, 1.0, 0), ("pricing", 150, 6, 50, 0, 0), ("replenish", 12, 40, 260, 7, .14), ("frontend", 200, 90, 500, 1.6, .03)):
    b.c(k, "istio_requests_total", r, mul=d); b.c(k, 'istio_requests_total{grpc_response_status="10"}', 0, add=r * fl * s + .01, start=5); b.g(k, "istio_request_duration_p50_ms", p50, .06, 1 + sl * .3 * s if k != "cart" else 1); b.g(k, "istio_request_duration_p99_ms", p99, .12, 1 + sl * s if k != "cart" else 1); b.g(k, "envoy_cluster_upstream_cx_active", r * .4, .06, 1 + .8 * s * (sl > 5), dec=0)
b.g("pg-inventory", "pg_locks_waiting", .2, 1, add=24 * s, dec=0); b.c("pg-inventory", "pg_stat_database_deadlocks", 0, add=1.6 * s + .0003, start=2); b.c("pg-inventory", "pg_xact_rollback", .1, add=8 * s); b.g("pg-inventory", "cpu", .28, .07, 1 - .1 * s); b.g("pg-inventory", "connections", 60, .06, 1 + .8 * s, dec=0); b.c("replenish", "go_goroutines_total", .1); b.g("istiod", "pilot_xds_pushes", .2, .5, add=9 * b.pulse(50.5, 51.5, .2)); b.g("pricing", "process_resident_memory_mib", 220, .02, 1 + .5 * b.pulse(20, 36, 3), phi=.9)
b.chat("inventory", "go", 330); b.chat("checkout", "go", 260); b.chat("replenish", "go", 120); b.chat("pg-inventory", "postgres", 110); b.chat("cart", "go", 110)
b.burst("pg-inventory", "ERROR", "deadlock detected\nDETAIL:  Process {id} waits for ShareLock on transaction {id}; blocked by process {n}.\nProcess {n}: UPDATE stock SET reserved = reserved + $1 WHERE sku = $2 AND warehouse = $3\nProcess {n}: UPDATE stock SET on_hand = on_hand + $1 WHERE sku = $2 AND warehouse = $3", ON, b.mins, 2); b.burst("inventory", "error", "Reserve aborted: ERROR: deadlock detected (SQLSTATE 40P01) cart={hex} lines={d}", ON, b.mins, 3); b.burst("replenish", "error", "apply receipt: ERROR: deadlock detected (SQLSTATE 40P01) receipt={id}", ON + .5, b.mins, 1); b.burst("checkout", "error", "rpc error: code = Aborted desc = reserve failed", ON + .3, b.mins, 4)
tree = ("checkout", "PlaceOrder", 30, [("pricing", "Quote", 7, []), ("inventory", "Reserve", 6, [("pg-inventory", "UPDATE stock", 2.5, [], 3)])]); b.traces(170, tree, slow={"pg-inventory": 1 + 24 * s}, fail={"pg-inventory": .06 * s})
b.change("inv-rel-12", "deploy", 50, "inventory", "flux", "inventory v12: reserve lines in pick path order", ["inventory/reserve.go"], diff("inventory/reserve.go", '''@@ -40,9 +40,10 @@ func (s *Server) reserve(ctx context.Context, tx pgx.Tx, lines []Line) error {
-	sort.Slice(lines, func(i, j int) bool { return lines[i].SKU < lines[j].SKU })
+	path := s.layout.PickPath(lines)
+	sort.Slice(lines, func(i, j int) bool { return path[lines[i].SKU] < path[lines[j].SKU] })
 	for _, l := range lines {
 		if _, err := tx.Exec(ctx, reserveSQL, l.Qty, l.SKU, l.Warehouse); err != nil {
 			return err
 		}
 	}
'''), commit=b.sha())
b.change("mesh-41", "config", 50.5, "checkout", "platform", "VirtualService checkout->inventory: retries 1 -> 2 on aborted", ["mesh/inventory.yaml"], diff("mesh/inventory.yaml", '''@@ -12,5 +12,5 @@ spec:
       retries:
-        attempts: 1
+        attempts: 2
         perTryTimeout: 2s
-        retryOn: unavailable
+        retryOn: unavailable,aborted
''')); b.change("rep-55", "commit", 15, "replenish", "gro", "receipts: apply in one transaction per pallet", ["replenish/apply.go"], diff("replenish/apply.go", '''@@ -20,7 +20,10 @@ func (a *Applier) pallet(ctx context.Context, p Pallet) error {
-	for _, l := range p.Lines {
-		a.db.Exec(ctx, addSQL, l.Qty, l.SKU, p.Warehouse)
-	}
+	return a.db.BeginFunc(ctx, func(tx pgx.Tx) error {
+		for _, l := range bySKU(p.Lines) {
+			tx.Exec(ctx, addSQL, l.Qty, l.SKU, p.Warehouse)
+		}
+		return nil
+	})
''')); b.change("rep-rel-8", "deploy", 33, "replenish", "flux", "replenish v8", commit=b.chg[-1][1]["commit"]); b.change("fl-bf", "flag", 45, "frontend", "campaign", "black weekend banner on"); b.change("pr-70", "deploy", 58, "pricing", "flux", "pricing v70")
b.alert("CheckoutErrors", "checkout", 55, "critical", "checkout aborted > 8%"); b.alert("PgDeadlocks", "pg-inventory", 57, "warning", "deadlocks per minute > 10", label="instance")
b.expect("code_deadlock", ["code"], ["inventory"], "inv-rel-12", ["mesh-41", "rep-rel-8", "rep-55", "fl-bf", "pr-70"], ON, [ON - 1, ON + 2], why="Deadlocks between reserve and replenish start with inventory v12, that no longer locks in SKU order as replenish (v8, 17 quiet minutes) does; retries add load but cannot deadlock.")
b.write(opened=57, topology=False)
