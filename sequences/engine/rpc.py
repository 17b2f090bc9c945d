"""The methods of ``engine.proto`` as callables, for both sides; names and types come from the compiled .proto."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import message_factory

from . import engine_pb2 as wire

_SERVICE = wire.DESCRIPTOR.services_by_name["Engine"]
_AUTHORIZATION = "authorization"

#: No message is larger; keeps a broken peer from filling the memory.
OPTIONS = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]


def client_methods(channel: grpc.Channel, token: str) -> dict[str, Callable[..., Any]]:
    """Method name → callable(request, timeout=seconds); every call carries the token."""

    def bind(method: Any) -> Callable[..., Any]:
        make = channel.unary_stream if method.server_streaming else channel.unary_unary
        call = make(
            f"/{_SERVICE.full_name}/{method.name}",
            request_serializer=message_factory.GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
        metadata = ((_AUTHORIZATION, f"Bearer {token}"),)
        return lambda request, timeout=None: call(request, timeout=timeout, metadata=metadata)

    return {method.name: bind(method) for method in _SERVICE.methods}


def service_handler(servicer: object) -> grpc.GenericRpcHandler:
    """Serves each method of the .proto by the servicer's method of that name."""

    def bind(method: Any) -> grpc.RpcMethodHandler:
        make = grpc.unary_stream_rpc_method_handler if method.server_streaming else grpc.unary_unary_rpc_method_handler
        return make(
            getattr(servicer, method.name),
            request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
            response_serializer=message_factory.GetMessageClass(method.output_type).SerializeToString,
        )

    return grpc.method_handlers_generic_handler(_SERVICE.full_name, {m.name: bind(m) for m in _SERVICE.methods})


class TokenGuard(grpc.ServerInterceptor):  # type: ignore[misc]
    """Refuses every call that does not carry the token."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

        def refuse(request: object, context: grpc.ServicerContext) -> None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong or missing token")

        self._refuse = grpc.unary_unary_rpc_method_handler(refuse)

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        given = dict(details.invocation_metadata).get(_AUTHORIZATION, "")
        return continuation(details) if hmac.compare_digest(given.encode(), self._expected) else self._refuse
