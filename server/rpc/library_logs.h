// What gRPC and protobuf say on standard error of their own accord, a line for each bad message of
// any client: nothing, since what a client did wrong is in its status. To be called once, before
// the first server is built.
#ifndef ANEX_SERVER_RPC_LIBRARY_LOGS_H_
#define ANEX_SERVER_RPC_LIBRARY_LOGS_H_

namespace anex::rpc {

// Who asks gRPC for its log with $GRPC_VERBOSITY gets it.
void QuietLibraries();

}  // namespace anex::rpc

#endif  // ANEX_SERVER_RPC_LIBRARY_LOGS_H_
