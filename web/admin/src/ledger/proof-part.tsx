import { Alert, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Facts } from '../parts/facts.tsx';
import { Instant } from '../parts/instant.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { LEDGER_WORDS } from './words.ts';

const EVERY_MS = 30_000;
/** The sealer runs every half minute, so what is older waits for a sealer that does not run. */
const SEALED_WITHIN_MS = 120_000;

type Proof = Schemas['LedgerProof'];

/** How far the ledger is sealed, and what its last verification found. */
export function ProofPart() {
  const words = useWords(LEDGER_WORDS);
  const proof = useQuery({
    queryKey: ['ledger proof'],
    queryFn: () => dataOf(api.GET('/admin/ledger/proof')),
    refetchInterval: EVERY_MS,
  });
  return (
    <Stack component="section" gap="xs" aria-labelledby="proof">
      <Title order={2} size="h4" id="proof">
        {words.proof}
      </Title>
      <Loaded asked={proof}>
        {({ seal, unsealedSince, verification }) => (
          <>
            <Verdict verification={verification} />
            <Facts
              facts={[
                [words.seal, <Seal key="seal" seal={seal} />],
                [words.unsealed, <Unsealed key="unsealed" since={unsealedSince} />],
                ...(verification === null
                  ? []
                  : [[words.verification, <Verified key="verified" verification={verification} />] as const]),
                ...(seal === null
                  ? []
                  : [[words.hash, <span key="hash" className="raw">{`${seal.hash.slice(0, 16)}…`}</span>] as const]),
              ]}
            />
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Verdict({ verification }: Pick<Proof, 'verification'>) {
  const words = useWords(LEDGER_WORDS);
  const { language } = useLanguage();
  if (verification === null) {
    return <Alert color="gray">{words.neverVerified}</Alert>;
  }
  const { findingCount, firstFinding } = verification;
  if (findingCount === 0) {
    return <Alert color="teal">{words.proven}</Alert>;
  }
  return (
    <Alert color="red">
      {words.found(countOf(findingCount, language))}
      {firstFinding !== null && (
        <Text size="sm" className="breaks">
          {firstFinding}
        </Text>
      )}
    </Alert>
  );
}

function Seal({ seal }: Pick<Proof, 'seal'>): ReactNode {
  const words = useWords(LEDGER_WORDS);
  const { language } = useLanguage();
  if (seal === null) {
    return words.noSeal;
  }
  const { number, transactions, sealedAt } = seal;
  return (
    <>
      <Instant at={sealedAt} />
      <br />
      {words.sealed(countOf(number, language), countOf(transactions, language))}
    </>
  );
}

function Unsealed({ since }: { readonly since: string | null }): ReactNode {
  const words = useWords(LEDGER_WORDS);
  if (since === null) {
    return words.allSealed;
  }
  const isLate = Date.now() - Date.parse(since) > SEALED_WITHIN_MS;
  return (
    <Text component="span" {...(isLate ? { c: 'red', fw: 600 } : {})}>
      <Instant at={since} isRelative />
    </Text>
  );
}

function Verified({ verification }: { readonly verification: NonNullable<Proof['verification']> }): ReactNode {
  const words = useWords(LEDGER_WORDS);
  const { language } = useLanguage();
  const { verifiedAt, transactions, witnesses } = verification;
  return (
    <>
      <Instant at={verifiedAt} />
      <br />
      {words.verified(countOf(transactions, language), witnesses === null ? null : countOf(witnesses, language))}
    </>
  );
}
