import type { Contract } from '../../domain/contract.ts';
import { nativeContract } from './native.ts';
import { ownpayContract } from './ownpay.ts';
import type { ContractPort } from './port.ts';
import { shadhinpayContract } from './shadhinpay.ts';

const CONTRACTS: Readonly<Record<Contract, ContractPort>> = {
  native: nativeContract,
  ownpay: ownpayContract,
  shadhinpay: shadhinpayContract,
};

/** Returns the contract of a payment, an invoice, an event or a key. */
export function contractOf(name: Contract): ContractPort {
  return CONTRACTS[name];
}
