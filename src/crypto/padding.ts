// SPDX-License-Identifier: Apache-2.0

// Granules below 256 bytes would hide nothing of a short record; above 64 KiB they would waste space for
// lengths that tell little anyway.
const MIN_GRANULE = 256;
const MAX_GRANULE = 65_536;

/**
 * The padded length of a sealed record's plaintext: Padmé (Nikitin et al., PETS 2019, "Reducing Metadata
 * Leakage from Encrypted Files and Communication with PURBs", 4), whose granule is held between 256 bytes
 * and 64 KiB.
 *
 * @param length - manifest, newline and source bytes together, unpadded: at least 2
 */
export function paddedLength(length: number): number {
  const exponent = floorLog2(length);
  const mantissaBits = floorLog2(exponent) + 1;
  const granule = Math.min(MAX_GRANULE, Math.max(MIN_GRANULE, 2 ** (exponent - mantissaBits)));
  return Math.ceil(length / granule) * granule;
}

// Not Math.log2, which rounds 2^48 - 1 up to 48.
function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high === 0 ? 31 - Math.clz32(value) : 63 - Math.clz32(high);
}
