"""The weights of several models of one architecture in one stack, and what they give, all at once."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from fer_lib.losses.reducing import unread
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device

Told = dict[str, Tensor]


class Model(nn.Module):
    """A learner as ``functional_call`` wants it: what is asked for is an argument."""

    def __init__(self, learner: nn.Module) -> None:
        super().__init__()
        self.learner = learner

    def forward(self, inputs: Any, targets: Any, what: str) -> Any:
        learner: Any = self.learner
        if what == "loss":
            return learner.training_loss(inputs, targets)
        if what == "outputs":
            return learner(inputs).float()
        return learner.loss(inputs, targets), learner.predict(inputs)


class Stack:
    """The weights of several models of one architecture; tensors have the models as their first axis."""

    def __init__(self, learners: Sequence[nn.Module]) -> None:
        self.learners = learners
        for learner in learners:
            learner.to(device())
        self.model = Model(learners[0])
        wholes = [Model(one) for one in learners]
        named = [dict(whole.named_parameters()) for whole in wholes]
        self.free, self.rest = {}, {}
        for name, value in named[0].items():
            stacked = torch.stack([one[name].detach() for one in named])
            if value.requires_grad:
                self.free[name] = stacked.requires_grad_()
            else:
                self.rest[name] = stacked
        buffers = [dict(whole.named_buffers()) for whole in wholes]
        self.rest |= {name: torch.stack([one[name] for one in buffers]) for name in buffers[0]}

    def losses(self, inputs: Any, targets: Tensor, *, keep: bool = True) -> Tensor:
        """The loss of each model on its own rows, (S,); what a layer notes of them is kept, unless not."""

        def one(free: Told, rest: Told, inputs: Any, targets: Tensor) -> tuple[Tensor, Told]:
            told = {**free, **rest}
            loss = functional_call(self.model, told, (inputs, targets, "loss"), tie_weights=False)
            return loss, {name: told[name].detach() for name in rest}

        rest = self.rest if keep else {name: value.clone() for name, value in self.rest.items()}
        with unread():
            losses, noted = vmap(one)(self.free, rest, inputs, targets)
        if keep:
            self.rest = noted
        return losses  # type: ignore[no-any-return]

    @torch.no_grad()
    def outputs(self, faces: DeviceFaces, batch_size: int = 256) -> Tensor:
        """Raw outputs of every model for all faces, (S, N, outputs)."""

        def one(free: Told, rest: Told, inputs: Any) -> Tensor:
            told = {**free, **rest}
            return functional_call(self.model, told, (inputs, None, "outputs"), tie_weights=False)  # type: ignore[no-any-return]

        found = [
            vmap(one, in_dims=(0, 0, None))(self.free, self.rest, faces.images(index))
            for index in torch.arange(len(faces)).split(batch_size)
        ]
        return torch.cat(found, 1)

    @torch.no_grad()
    def outputs_of(self, k: int, faces: DeviceFaces, batch_size: int = 256) -> Tensor:
        """Raw outputs of one model for all faces, (N, outputs)."""
        told, some = self.one(k), torch.arange(len(faces)).split(batch_size)
        given = [(faces.images(index), None, "outputs") for index in some]
        return torch.cat([functional_call(self.model, told, one, tie_weights=False) for one in given])

    def one(self, k: int) -> Told:
        """The tensors of one model."""
        return {name: value[k].detach() for name, value in {**self.free, **self.rest}.items()}

    @torch.no_grad()
    def put_back(self, k: int, told: Told) -> None:
        """Write tensors into the learner they belong to."""
        whole = Model(self.learners[k])
        for name, value in [*whole.named_parameters(), *whole.named_buffers()]:
            value.copy_(told[name])
