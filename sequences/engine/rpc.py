"""The methods of ``engine.proto`` as callables, for both sides; names and types come from the compiled .proto."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import message_factory

from . import engine_pb2 as wire
from .access import AUTHORIZATION, OBSERVER_METHODS, Access, caller

_SERVICE = wire.DESCRIPTOR.services_by_name["Engine"]

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
        metadata = ((AUTHORIZATION, f"Bearer {token}"),)
        return lambda request, timeout=None: call(request, timeout=timeout, metadata=metadata)

    return {method.name: bind(method) for method in _SERVICE.methods}


def service_handler(servicer: object, access: Access) -> grpc.GenericRpcHandler:
    """Serves each method of the .proto by the servicer's method of that name, to those who may call it."""

    def bind(method: Any) -> grpc.RpcMethodHandler:
        make = grpc.unary_stream_rpc_method_handler if method.server_streaming else grpc.unary_unary_rpc_method_handler
        return make(
            _guarded(method.name, getattr(servicer, method.name), access),
            request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
            response_serializer=message_factory.GetMessageClass(method.output_type).SerializeToString,
        )

    return grpc.method_handlers_generic_handler(_SERVICE.full_name, {m.name: bind(m) for m in _SERVICE.methods})


def _guarded(name: str, method: Callable[..., Any], access: Access) -> Callable[..., Any]:
    def call(request: Any, context: grpc.ServicerContext) -> Any:
        who = access.who(context)
        if who is None:
            return context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong or missing token")
        if who.role != "operator" and name not in OBSERVER_METHODS:
            context.abort(
                grpc.StatusCode.PERMISSION_DENIED, f"{name} is for operators; {who.name or 'you'} may look on"
            )
        caller.set(who)
        return method(request, context)

    return call
