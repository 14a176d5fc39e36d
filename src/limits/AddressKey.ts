import { Result } from "effect"
import { IpNetwork, NetAddress } from "effect/net"

/** A subscriber of IPv6 has a network of this size, and with it as many addresses as they like (RFC 6177). */
const IPV6_SUBSCRIBER = 64

/** What stands for a client's address in limits: the address itself for IPv4, its /64 for IPv6, other text as it is. */
export const addressKey = (address: string): string =>
  address.includes(":")
    ? NetAddress.ipFromString(address).pipe(
        Result.map(NetAddress.toCanonical),
        Result.flatMap((ip) =>
          NetAddress.isIpv4Address(ip)
            ? Result.succeed(NetAddress.formatIp(ip))
            : Result.map(IpNetwork.fromAddress(ip, IPV6_SUBSCRIBER), IpNetwork.format)
        ),
        Result.getOrElse(() => address)
      )
    : address
