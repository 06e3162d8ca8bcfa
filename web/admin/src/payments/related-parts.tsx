import { Table, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schemas } from '../api/client.ts';
import { RefundStatusBadge } from '../parts/status-badge.tsx';
import { OperatorName } from '../session/operator-name.tsx';
import { useMode } from '../shell/mode.ts';
import { moneyOf, shortInstantOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';

type Detail = Schemas['PaymentDetail'];

export function RefundsPart({ refunds }: { readonly refunds: Detail['refunds'] }) {
  const { words, language } = useLanguage();
  const { path } = useMode();
  return (
    <Rows
      names={[words.refunds.amount, words.refunds.status, words.refunds.askedBy, words.refunds.asked]}
      rows={refunds.map((refund) => [
        <Link key="link" to="/$mode/refunds/$id" params={{ mode: path, id: refund.id.toString() }}>
          {moneyOf(refund, language)}
        </Link>,
        <RefundStatusBadge key="status" status={refund.status} />,
        <OperatorName key="by" by={refund.createdBy} />,
        shortInstantOf(refund.createdAt, language),
      ])}
    />
  );
}

export function LedgerPart({ entries }: { readonly entries: Detail['ledger'] }) {
  const { words, language } = useLanguage();
  return (
    <Rows
      names={[words.payment.debit, words.payment.credit, words.payment.amount, words.payment.created]}
      rows={entries.map((entry) => [
        entry.debit,
        entry.credit,
        moneyOf(entry, language),
        shortInstantOf(entry.createdAt, language),
      ])}
    />
  );
}

export function AttemptsPart({
  attempts,
  currency,
}: {
  readonly attempts: Detail['attempts'];
  readonly currency: string;
}) {
  const { words, language } = useLanguage();
  return (
    <Rows
      names={[words.payment.reference, words.payment.gateway, words.payment.state, words.payment.amount]}
      rows={attempts.map(({ reference, gateway, status, grossMinor }) => [
        reference,
        gateway,
        status,
        grossMinor === null ? '–' : moneyOf({ amountMinor: grossMinor, currency }, language),
      ])}
    />
  );
}

export function UnappliedPart({ unappliedPayments }: { readonly unappliedPayments: Detail['unappliedPayments'] }) {
  const { words, language } = useLanguage();
  return (
    <Rows
      names={[words.payment.amount, words.payment.state, words.payment.created]}
      rows={unappliedPayments.map((one) => [
        moneyOf(one, language),
        one.status,
        shortInstantOf(one.createdAt, language),
      ])}
    />
  );
}

export function DecisionsPart({ decisions }: { readonly decisions: Detail['decisions'] }) {
  const { words, language } = useLanguage();
  return (
    <Rows
      names={[
        words.payment.decisions,
        words.refunds.askedBy,
        words.refunds.approvedBy,
        words.refunds.reason,
        words.payment.created,
      ]}
      rows={decisions.map((one) => [
        `${one.kind}: ${one.decision}`,
        <OperatorName key="by" by={one.by} />,
        one.secondedBy === null ? '–' : <OperatorName key="seconded" by={one.secondedBy} />,
        one.reason ?? '–',
        shortInstantOf(one.createdAt, language),
      ])}
    />
  );
}

/** A plain table; it scrolls by itself where the screen is too narrow. */
function Rows({
  names,
  rows,
}: {
  readonly names: readonly string[];
  readonly rows: readonly (readonly ReactNode[])[];
}) {
  const { words } = useLanguage();
  if (rows.length === 0) {
    return <Text c="dimmed">{words.nothingHere}</Text>;
  }
  return (
    <Table.ScrollContainer type="native" minWidth={480} tabIndex={0}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            {names.map((name) => (
              <Table.Th key={name}>{name}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((cells, row) => (
            <Table.Tr key={row}>
              {cells.map((cell, column) => (
                <Table.Td key={names[column]}>{cell}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
