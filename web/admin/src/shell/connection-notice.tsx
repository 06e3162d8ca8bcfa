import { Box } from '@mantine/core';
import { useNetwork } from '@mantine/hooks';
import { useLanguage } from '../words/language.tsx';

/** Says that the connection is lost, for as long as it is. */
export function ConnectionNotice() {
  const { words } = useLanguage();
  const { online } = useNetwork();
  return (
    <Box role="status" className="connection-notice">
      {!online && words.connectionLost}
    </Box>
  );
}
