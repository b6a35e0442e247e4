// A Flash program that talks to a server by a socket and by remoting, and tells the page what it hears.
import flash.events.Event;
import flash.events.ProgressEvent;
import flash.external.ExternalInterface;
import flash.net.NetConnection;
import flash.net.ObjectEncoding;
import flash.net.Responder;
import flash.net.Socket;

class Probe {
  static function tell(text:String) {
    ExternalInterface.call("heard", text);
  }

  static function main() {
    var vars = flash.Lib.current.loaderInfo.parameters;
    talk(Std.parseInt(Reflect.field(vars, "port")));
    remote(Reflect.field(vars, "gateway"));
  }

  static function talk(port:Int) {
    var socket = new Socket();
    socket.addEventListener(Event.CONNECT, function(_) {
      socket.writeUTFBytes("hello from flash\n");
      socket.flush();
    });
    socket.addEventListener(ProgressEvent.SOCKET_DATA, function(_) {
      tell("socket: " + socket.readUTFBytes(socket.bytesAvailable));
    });
    socket.connect("game.example", port);
  }

  static function remote(gateway:String) {
    var connection = new NetConnection();
    connection.objectEncoding = ObjectEncoding.AMF3;
    connection.connect(gateway);
    connection.call("add", new Responder(function(sum) {
      tell("remoting: " + sum);
    }, function(status) {
      tell("remoting failed: " + status.description);
    }), 40, 2);
  }
}
