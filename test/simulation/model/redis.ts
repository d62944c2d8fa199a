import type { Order } from './rows.js';
import { newId, violate, type World } from './world.js';

// The scripts of Redis that matter to money. Each function is one script.

/** claim.lua: gives a buyer a unit, or a position on standby. */
export function claim(world: World, buyer: number): boolean {
  const held = world.claims[buyer];
  if (!world.isOpen || (held && held.status !== 'ended') || world.standby.includes(buyer)) return false;
  if (world.stock.length > 0 && world.standby.length === 0) give(world, buyer, world.stock.shift() as number);
  else world.standby.push(buyer);
  return true;
}

function give(world: World, buyer: number, unit: number, claimId = newId(world)): void {
  world.claims[buyer] = { claimId, unit, status: 'queued', payBy: Number.POSITIVE_INFINITY };
  world.outbox.add(buyer);
  world.tell?.(`  buyer ${buyer} has unit ${unit} under claim ${claimId}`);
}

/** promote.lua and its part of release.lua: gives a free unit to the first buyer on standby, or to stock. */
function passOn(world: World, unit: number): void {
  const first = world.isOpen ? world.standby.shift() : undefined;
  if (first === undefined) world.stock.push(unit);
  else give(world, first, unit);
}

/** click-to-pay.lua: writes the time of a click to pay that comes before the deadline. */
export function clickToPay(world: World, buyer: number): boolean {
  const held = world.claims[buyer];
  if (held?.status !== 'pending_payment') return false;
  const isInTime = world.now < held.payBy;
  if (!isInTime && !world.clicks.has(held.claimId)) return false;
  if (isInTime) {
    // No two clicks of a buyer come in the same millisecond.
    world.now += 0.001;
    world.clicks.set(held.claimId, world.now);
    const order = world.orders.get(held.claimId);
    if (order && world.now < order.payBy) order.unansweredClickAt = world.now;
  }
  world.payJobs.push(held.claimId);
  return true;
}

/** drop-pay-click.lua: removes a click that was dealt with; a later one stays. */
export function dropClick(world: World, claimId: number, clickedAt: number): void {
  if (world.clicks.get(claimId) === clickedAt) world.clicks.delete(claimId);
}

/** record-status.lua: records the status of a live order, never backward. */
export function recordStatus(world: World, { id, buyer, status, payBy }: Order): void {
  const held = world.claims[buyer];
  if (held?.claimId !== id) return;
  world.outbox.delete(buyer);
  if (held.status === 'ended' || (held.status === 'paid' && status !== 'paid')) return;
  held.status = status === 'paid' ? 'paid' : 'pending_payment';
  held.payBy = payBy;
}

/** release.lua: ends a claim that its buyer holds, and passes its unit on. */
export function release(world: World, claimId: number): void {
  const order = world.orders.get(claimId) as Order;
  const held = world.claims[order.buyer];
  if (!world.rules.mayRelease(held, claimId)) return;
  if (held.claimId !== claimId) violate(world, `the release of claim ${claimId} ended claim ${held.claimId}`);
  held.status = 'ended';
  world.outbox.delete(order.buyer);
  world.tell?.(`  claim ${held.claimId} of buyer ${order.buyer} has ended`);
  if (order.release?.freesUnit) passOn(world, held.unit);
}

/** regrab.lua: takes a unit again for a buyer whose money came late. */
export function regrab(
  world: World,
  { buyer, endedClaimId, claimId }: { buyer: number; endedClaimId: number; claimId: number },
): number | 'ended' | 'not_released' | 'none' {
  const held = world.claims[buyer];
  if (held?.claimId === claimId) return held.status === 'ended' ? 'ended' : held.unit;
  if (held && held.status !== 'ended') return held.claimId === endedClaimId ? 'not_released' : 'none';
  if (!world.rules.isUnitFree(world)) return 'none';
  if (world.standby.length > 0) violate(world, `late money of buyer ${buyer} passes the buyers on standby`);
  const unit = world.stock.shift();
  if (unit === undefined) return 'none';
  give(world, buyer, unit, claimId);
  return unit;
}
