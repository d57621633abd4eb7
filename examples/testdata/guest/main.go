// Guest does on a host of the lab what its tools cannot:
//
//	guest sctp ADDRESS PORT    prints what an SCTP server says
//	guest advertise DEVICE     is a router to the device's neighbours, for an hour
package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 4 && os.Args[1] == "sctp":
		err = sctp(os.Args[2], os.Args[3])
	case len(os.Args) == 3 && os.Args[1] == "advertise":
		err = advertise(os.Args[2])
	default:
		err = fmt.Errorf("usage: guest sctp ADDRESS PORT | guest advertise DEVICE")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func sctp(address, port string) error {
	to, err := netip.ParseAddr(address)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP)
	if err != nil {
		return err
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: 5}); err != nil {
		return err
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}); err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: number, Addr: to.As4()}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	text := make([]byte, 256)
	n, err := unix.Read(fd, text)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	_, err = os.Stdout.Write(text[:n])
	return err
}

// advertise sends one router advertisement (RFC 4861, 4.2) without options. The
// kernel fills in the checksum.
func advertise(device string) error {
	dev, err := net.InterfaceByName(device)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6)
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, 255); err != nil {
		return err
	}
	const lifetime = 3600
	message := []byte{134, 0, 0, 0, 64, 0, lifetime >> 8, lifetime & 0xff, 15: 0}
	all := netip.MustParseAddr("ff02::1")
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrInet6{Addr: all.As16(), ZoneId: uint32(dev.Index)}); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}
