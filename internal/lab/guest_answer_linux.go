package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"

	"golang.org/x/sys/unix"
)

// answer opens the host's listeners. A socket stays in the network namespace of the
// thread that makes it, so any thread may accept connections from it.
func (h *guestHost) answer() error {
	body := []byte(h.Name + "\n")
	for _, l := range h.Listeners {
		open := map[string]func(uint16, []byte) error{"tcp": answerTCP, "udp": answerUDP, "sctp": answerSCTP}[l.Protocol]
		if open == nil {
			return fmt.Errorf("listen on %s port %d: no such protocol", l.Protocol, l.Port)
		}
		if l.Protocol == "tcp" && l.Port == 22 {
			continue // sshd answers there
		}
		if l == (Listener{"tcp", redisPort}) && h.servesRedis() {
			if err := startRedis(); err != nil {
				return err
			}
			continue
		}
		if err := open(l.Port, body); err != nil {
			return fmt.Errorf("listen on %s port %d: %w", l.Protocol, l.Port, err)
		}
	}
	return nil
}

// answerTCP runs an HTTP server that answers every request with the host's name. The
// header X-Client holds the address that the request came from.
func answerTCP(port uint16, body []byte) error {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // plain TCP, as any server a director knows
	l, err := config.Listen(context.Background(), "tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return err
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Uploads are read to their end: a path that drops large packets shows.
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			w.Header().Set("X-Client", from.Addr().Unmap().String())
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(body) // fails only if the client has gone
	}))
	return nil
}

// answerUDP answers each datagram with one, from the address that it was sent
// to: a real server must answer from the VIP.
func answerUDP(port uint16, body []byte) error {
	for _, family := range []struct {
		network       string
		level, option int
	}{
		{"udp4", unix.IPPROTO_IP, unix.IP_PKTINFO}, {"udp6", unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO},
	} {
		conn, err := net.ListenUDP(family.network, &net.UDPAddr{Port: int(port)})
		if err != nil {
			return err
		}
		raw, err := conn.SyscallConn()
		if err != nil {
			return err
		}
		if err := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), family.level, family.option, 1)
		}); err != nil {
			return err
		}
		if err != nil {
			return err
		}
		go func() {
			buffer, oob := make([]byte, 1<<16), make([]byte, 256)
			for {
				_, n, _, from, err := conn.ReadMsgUDPAddrPort(buffer, oob)
				if errors.Is(err, net.ErrClosed) {
					return
				}
				if err != nil {
					continue // an ICMP error about an earlier answer
				}
				// An error means that the client has gone.
				_, _, _ = conn.WriteMsgUDPAddrPort(body, replySource(oob[:n]), from)
			}
		}()
	}
	return nil
}

// replySource reads the control message that holds the address a datagram was sent
// to. It returns one that sends the answer from that address, by whatever device the
// route says.
func replySource(oob []byte) []byte {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= 12:
			// struct in_pktinfo: ifindex, local address, destination in the header.
			return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: [4]byte(m.Data[4:8])})
		case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= 16:
			return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: [16]byte(m.Data[:16])})
		}
	}
	return nil
}

// answerSCTP greets each association with the host's name and ends it.
func answerSCTP(port uint16, body []byte) error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
	if err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet6{Port: int(port)}); err != nil {
		return err
	}
	if err := unix.Listen(fd, 128); err != nil {
		return err
	}
	go func() {
		for {
			conn, _, err := unix.Accept(fd)
			if err != nil {
				continue // the association ended before it was accepted
			}
			_, _ = unix.Write(conn, body)
			_ = unix.Close(conn)
		}
	}()
	return nil
}
