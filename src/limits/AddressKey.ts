import { Result } from "effect"
import { IpNetwork, NetAddress } from "effect/net"

/** A subscriber of IPv6 has a network of this size, and with it as many addresses as they like (RFC 6177). */
const IPV6_SUBSCRIBER = 64

const keyOf = (ip: NetAddress.IpAddress): string => {
  const canonical = NetAddress.toCanonical(ip)
  return NetAddress.isIpv4Address(canonical)
    ? NetAddress.formatIp(canonical)
    : IpNetwork.format(IpNetwork.fromAddressUnsafe(canonical, IPV6_SUBSCRIBER))
}

/** What stands for a client's address in limits: the address itself for IPv4, its /64 for IPv6, other text as it is. */
export const addressKey = (address: string): string =>
  address.includes(":") ? Result.match(NetAddress.ipFromString(address), { onSuccess: keyOf, onFailure: () => address }) : address
