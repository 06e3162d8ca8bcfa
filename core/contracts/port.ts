import type { Statements } from '../../database/statements.ts';
import type { Contract } from '../../domain/contract.ts';
import type { Mode } from '../../domain/mode.ts';
import type { EventType } from '../../domain/webhook.ts';
import type { InvoiceRecord } from '../invoices/store/invoices.ts';
import type { PaymentRecord } from '../payments/store/payments.ts';
import type { RefundRecord } from '../refunds/store/refunds.ts';
import type { NewEvent } from '../webhooks/store/events.ts';
import type { DeliveredMessage } from './signature.ts';

/**
 * What differs between the published contracts once a request has been read: what receivers get, where payers are sent, which keys work. Everything
 * else is the same for all, and no other file compares contracts. How requests and responses look is in `api/<contract>/`.
 */
export interface ContractPort {
  readonly events: ContractEvents;
  readonly deliveries: ContractDeliveries;
  readonly keys: ContractKeys;
  readonly payer: ContractPages;
  readonly invoices: ContractInvoices;
}

/** Returns null for an event that the contract does not have, or that the receiver has not subscribed to. */
export interface ContractEvents {
  ofPayment(statements: Statements, event: PaymentEvent): Promise<EventBody | null>;
  ofInvoice(statements: Statements, event: InvoiceEvent): Promise<EventBody | null>;
  /** Whether issuing an invoice is an event: it is stored by the statement that issues the invoice. */
  readonly invoiceIssued: boolean;
}

export interface PaymentEvent {
  readonly payment: PaymentRecord;
  readonly type: EventType;
  /** Only for an event about a refund. */
  readonly refund: RefundRecord | undefined;
}

export interface InvoiceEvent {
  /** In its current state. */
  readonly invoice: InvoiceRecord;
  readonly type: EventType;
}

/** The body as it is signed and sent. Empty for the native contract, whose body is the form in which events are stored. */
export type EventBody = Pick<NewEvent, 'contractBody'>;

export interface ContractDeliveries {
  /** The delay before each attempt. */
  readonly delaysSeconds: readonly number[];
  /** Whether a request has room for a signature by each secret. */
  readonly signsAtOnce: boolean;
  headers(message: DeliveredMessage): Record<string, string>;
}

export interface ContractKeys {
  /** Whether a key can be limited to reading or writing. */
  readonly haveScopes: boolean;
  create(mode: Mode): Promise<NewKey>;
  /** Returns the hash under which the credential is found, and what else identifies its owner in requests. */
  bind(statements: Statements, key: { readonly applicationId: bigint; readonly apiKey: string }): Promise<BoundKey>;
}

export interface NewKey {
  readonly apiKey: string;
  /** Shown once. Null if the key alone is the credential. */
  readonly apiSecret: string | null;
  readonly secretHash: string | null;
  /** What may be shown of the key later. Absent if nothing may. */
  readonly prefix?: string;
}

export interface BoundKey {
  readonly keyHash: Buffer;
  readonly business: Business | null;
}

/** An application's identifiers in ShadhinPay's contract. */
export interface Business {
  /** `HM_` and 8 hexadecimal digits. */
  readonly clientId: string;
  /** `HB_` and 8 hexadecimal digits. */
  readonly businessId: string;
}

export interface ContractPages {
  /** Returns the URL to which the payer of a payment is sent at its end, or null. */
  returnUrl(payment: PaymentRecord): string | null;
  /** Whether the page sends payers back to the shop after showing the outcome for a moment. */
  readonly sendsBack: boolean;
  /** Whether the page redirects at once to a gateway that the shop has chosen. */
  readonly opensGatewayAtOnce: boolean;
  /** Whether anybody may read what the checkout page shows as JSON. */
  readonly hasCheckoutDocument: boolean;
  /** Whether receipts name the payer. They must not where references are short enough to be guessed. */
  readonly receiptNamesPayer: boolean;
}

export interface ContractInvoices {
  /** The gateways at which invoices can be paid. Null: those of the application's settings. */
  readonly gateways: readonly string[] | null;
  /** Whether a refund may make the amount due again. */
  readonly reopenAfterRefund: boolean;
  /** Returns the terms of a new payment of the invoice. */
  paymentTerms(invoice: InvoiceRecord, wanted: { readonly page: string; readonly expiryMinutes: number }): PaymentTerms;
}

export interface PaymentTerms {
  readonly contract: Contract;
  readonly reference: string;
  readonly expiryMinutes: number;
  readonly customerPhone: string | null;
  readonly returnUrl: string;
}
