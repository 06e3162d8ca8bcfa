// Command temporal-postgres is a Temporal server in one process that keeps its workflows in PostgreSQL: what a deployment runs, for
// `npm run bench -- throughput`. The password is read from TEMPORAL_POSTGRES_PASSWORD. No UI, no archival, loopback only.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	_ "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
	sqltool "go.temporal.io/server/tools/sql"
)

const (
	loopback    = "127.0.0.1"
	plugin      = "postgres12_pgx"
	connections = 20
	clusterName = "active"
	clusterID   = "4f0d1c3e-6a0b-4c59-9a53-3d5f2b7f8a10"
)

// The same as for the server on a file (scripts/development/temporal.ts), so that only the store differs.
var dynamic = map[string]any{
	"history.transferProcessorMaxPollRPS":            200,
	"history.timerProcessorMaxPollRPS":               200,
	"matching.numTaskqueueReadPartitions":            1,
	"matching.numTaskqueueWritePartitions":           1,
	"system.forceSearchAttributesCacheRefreshOnRead": true,
	"frontend.persistenceMaxQPS":                     10000,
	"history.persistenceMaxQPS":                      45000,
}

func main() {
	port := flag.Int("port", 7233, "where clients connect")
	postgresPort := flag.Int("postgres-port", 5432, "of a server on this machine")
	user := flag.String("postgres-user", "postgres", "who may create databases")
	shards := flag.Int("shards", 4, "history shards, fixed once the store exists")
	flag.Parse()
	if err := run(*port, *shards, store{port: *postgresPort, user: *user, password: os.Getenv("TEMPORAL_POSTGRES_PASSWORD")}); err != nil {
		fmt.Fprintln(os.Stderr, "temporal-postgres:", err)
		os.Exit(1)
	}
}

func run(port, shards int, postgres store) error {
	main, err := postgres.prepare("temporal", "postgresql/v12/temporal")
	if err != nil {
		return err
	}
	visibility, err := postgres.prepare("temporal_visibility", "postgresql/v12/visibility")
	if err != nil {
		return err
	}
	conf, hosts, err := configure(port, shards, main, visibility)
	if err != nil {
		return err
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: "error"}))
	values := dynamicconfig.StaticClient{}
	for name, value := range dynamic {
		values[dynamicconfig.MakeKey(name)] = value
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithDynamicConfigClient(values),
	)
	if err != nil {
		return err
	}
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := server.Start(); err != nil {
		return err
	}
	fmt.Println("temporal-postgres ready on port", port)
	<-stopped.Done()
	return server.Stop()
}

func configure(port, shards int, main, visibility *config.SQL) (*config.Config, map[primitives.ServiceName]static.Hosts, error) {
	address := fmt.Sprintf("%s:%d", loopback, port)
	conf := &config.Config{Services: map[string]config.Service{}}
	conf.Global.Membership.MaxJoinDuration = 30 * time.Second
	conf.Global.Membership.BroadcastAddress = loopback
	conf.Persistence.NumHistoryShards = int32(shards)
	conf.Persistence.DefaultStore, conf.Persistence.VisibilityStore = "main", "visibility"
	conf.Persistence.DataStores = map[string]config.DataStore{"main": {SQL: main}, "visibility": {SQL: visibility}}
	conf.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10, MasterClusterName: clusterName, CurrentClusterName: clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{
			clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address, ClusterID: clusterID},
		},
	}
	conf.DCRedirectionPolicy.Policy = "noop"
	conf.Archival.History.State, conf.Archival.Visibility.State = "disabled", "disabled"
	conf.NamespaceDefaults.Archival.History.State, conf.NamespaceDefaults.Archival.Visibility.State = "disabled", "disabled"
	conf.PublicClient.HostPort = address
	hosts := map[primitives.ServiceName]static.Hosts{}
	services := []primitives.ServiceName{primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService}
	for _, service := range services {
		own := port
		if service != primitives.FrontendService {
			listener, err := net.Listen("tcp", loopback+":0")
			if err != nil {
				return nil, nil, err
			}
			own = listener.Addr().(*net.TCPAddr).Port
			listener.Close()
		}
		conf.Services[string(service)] = config.Service{RPC: config.RPC{GRPCPort: own, BindOnIP: loopback}}
		hosts[service] = static.SingleLocalHost(fmt.Sprintf("%s:%d", loopback, own))
	}
	return conf, hosts, nil
}

type store struct {
	port           int
	user, password string
}

// prepare makes a database with Temporal's own schema tool.
func (s store) prepare(database, schema string) (*config.SQL, error) {
	base := []string{"sql-tool", "--plugin", plugin, "--ep", loopback, "-p", fmt.Sprint(s.port), "-u", s.user, "--pw", s.password, "--db", database}
	for _, command := range [][]string{{"create"}, {"setup-schema", "-v", "0.0"}, {"update-schema", "--schema-name", schema}} {
		if err := sqltool.RunTool(append(append([]string{}, base...), command...)); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", command[0], database, err)
		}
	}
	return &config.SQL{
		PluginName: plugin, ConnectProtocol: "tcp", ConnectAddr: fmt.Sprintf("%s:%d", loopback, s.port), User: s.user, Password: s.password,
		DatabaseName: database, MaxConns: connections, MaxIdleConns: connections, MaxConnLifetime: time.Hour,
	}, nil
}
