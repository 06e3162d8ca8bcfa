import '@mantine/core/styles.css';
import './dashboard.css';
import { setNonce } from 'get-nonce';
import { createRoot } from 'react-dom/client';
import { Dashboard } from './dashboard.tsx';
import { refuseMarkup } from './trusted-types.ts';

refuseMarkup();
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
setNonce(nonce);
const root = document.querySelector('#dashboard');
if (root !== null) {
  createRoot(root).render(<Dashboard nonce={nonce} />);
}
