package state

import (
	"strconv"
	"strings"
)

// Load is what a server's entry in a director's table has to carry at one moment.
type Load struct {
	Connections
	Weight int
	// Persistent are the clients that persistence would bring back.
	Persistent int
}

// ParseLoad reads ipvsadm -L -n --persistent-conn, versions 1.24 to 1.31:
//
//	IP Virtual Server version 1.2.1 (size=4096)
//	Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn
//	  -> RemoteAddress:Port
//	TCP  10.0.0.1:80 rr persistent 50
//	  -> 10.0.0.2:80                  1         2           7          3
//
// Lines that it cannot read are left out.
func ParseLoad(text string) map[ServerKey]Load {
	loads := map[ServerKey]Load{}
	for l := range listedLines(text) {
		if !l.server || len(l.words) < 6 {
			continue
		}
		k, err := l.serverKey()
		var n [4]int
		for i := range n {
			v, bad := strconv.Atoi(l.words[i+2])
			if bad != nil {
				err = bad
			}
			n[i] = v
		}
		if err == nil {
			loads[k] = Load{Connections{n[2], n[3]}, n[0], n[1]}
		}
	}
	return loads
}

// Client is somebody who has connections to a real server.
type Client struct {
	Count int
	// Protocol and Service are as ipvsadm lists them, Server is the real server's
	// address with its port, Address the client's.
	Protocol, Service, Server, Address string
}

// ParseClients reads lines COUNT PROTOCOL SERVICE SERVER CLIENT.
func ParseClients(text string) []Client {
	var list []Client
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) != 5 {
			continue
		}
		if n, err := strconv.Atoi(words[0]); err == nil {
			list = append(list, Client{n, words[1], words[2], words[3], strings.Trim(words[4], "[]")})
		}
	}
	return list
}
